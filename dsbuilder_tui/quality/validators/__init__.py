"""The built-in validators, a file each. Their rows are in ``quality/validation.py``."""
