"""Settings: their schema, where each value comes from, and the files that hold them."""
