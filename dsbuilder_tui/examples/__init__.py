"""Example plans that come with the package."""
