"""Stand-ins for a model: a writer of cases and a planner, both without a network."""
