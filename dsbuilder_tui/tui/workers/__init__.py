"""The workers screen."""
