"""Material that cases start from: rows of files, and the application under test."""
