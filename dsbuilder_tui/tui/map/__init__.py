"""The map: the cases as points by their likeness."""
