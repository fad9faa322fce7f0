"""The built-in comparing stages, one a file, in the order of what they cost: structural, near, semantic."""
