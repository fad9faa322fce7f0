"""The shapes that records have, a file for each family; the registry is ``sources/rows/row_shapes.py``."""
