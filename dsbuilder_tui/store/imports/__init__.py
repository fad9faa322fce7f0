"""Files that become sessions: one file for each format, and a registry of them."""
