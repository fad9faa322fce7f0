"""Documents that cases are written from: read as text, cut into passages. What stands in them is data."""
