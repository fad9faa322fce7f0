"""Clusters: how one is joined, or started on this machine. What is done on it stands with whoever does it."""
