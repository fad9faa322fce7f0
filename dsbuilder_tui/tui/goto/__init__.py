"""Go to: a few letters, and what they may mean."""
