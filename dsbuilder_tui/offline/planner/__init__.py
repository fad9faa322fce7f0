"""The built-in planner: understands plain requests about a dataset and calls the main agent's tools, without a model."""
