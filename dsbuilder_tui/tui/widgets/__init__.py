"""Widgets that draw painted lines."""
