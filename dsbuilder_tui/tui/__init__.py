"""The studio: the Textual app. Widgets draw a view state; what they draw is made by pure functions in ``paint``."""
