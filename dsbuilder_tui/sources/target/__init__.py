"""An application read as data: its tools and prompts out of code, files and folders. Nothing of it is ever run."""
