"""Plain models of what dsbuilder talks about. This room imports no other room."""
