"""The review screen: one case after the other that deserves a look."""
