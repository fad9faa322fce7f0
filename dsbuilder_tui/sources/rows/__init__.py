"""Rows of dataset files, whoever wrote them: any container, any of the known shapes, one reader."""
