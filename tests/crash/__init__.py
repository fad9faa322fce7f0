"""Sessions that are damaged or killed on purpose, and what is said of them afterwards."""
