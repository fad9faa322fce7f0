"""What survives a kill: the session file, its lock, checkpoints, exports and the seed-format JSON."""
