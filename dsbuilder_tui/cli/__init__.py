"""The command line: one file for each command, and three readers of what happens."""
