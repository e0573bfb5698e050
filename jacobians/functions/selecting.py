"""Values chosen by conditions and by order."""
