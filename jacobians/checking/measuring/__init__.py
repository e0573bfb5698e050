"""Derivatives measured by finite differences, each with its error."""
