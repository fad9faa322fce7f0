"""The app's screens; the style sheet of each lies beside it."""
