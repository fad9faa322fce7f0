"""The guide, in short Markdown pages: read in the app (F1) and with ``dsbuilder manual``."""

from dsbuilder_tui.manual.pages import Topic, page, topics

__all__ = ["Topic", "page", "topics"]
