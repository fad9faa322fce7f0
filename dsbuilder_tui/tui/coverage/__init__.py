"""The coverage screen."""
