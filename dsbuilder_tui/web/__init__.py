"""The app in a browser: a page, and for each tab a process of its own that draws the app through a websocket."""
