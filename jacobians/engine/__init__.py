"""Forms as NumPy calls: the algebra on structure, what it costs, and how entries are written."""
