"""Rendering, apart from the model: formulas, tables and HTML."""
