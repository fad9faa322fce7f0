"""The studio screen."""
