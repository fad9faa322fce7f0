"""The rejected screen."""
