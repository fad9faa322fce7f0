"""The dataset in MLflow: fed from the outbox of the session file by one thread, compared at the end."""
