"""The dataset in MLflow: fed from the outbox of the session file through a process of its own, compared at the end."""
