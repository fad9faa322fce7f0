"""Places: what can be gone to, found in texts, by a search, and by what they are called."""
