"""Datasets as files: one file for each format, and a registry of them."""
