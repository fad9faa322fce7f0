"""Whether the app can be drawn here."""

from __future__ import annotations

import os
import sys

from dsbuilder_tui.web.tab_process import WEB_DRIVER


def can_draw() -> bool:
    if os.environ.get("TEXTUAL_DRIVER") == WEB_DRIVER:  # in a browser, through pipes
        return True
    streams = (sys.stdin, sys.stdout, sys.stderr)  # the app draws on standard error
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "") not in ("dumb", "")
