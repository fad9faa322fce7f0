"""The main agent's tools: each small, typed, and checked by us, so that a model is told exactly what was wrong."""
