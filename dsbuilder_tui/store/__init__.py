"""The files that survive a kill: the session file, its lock, checkpoints, exports and the seed-format JSON."""
