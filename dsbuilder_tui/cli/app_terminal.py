"""Whether the app can be drawn here."""

from __future__ import annotations

import os
import sys


def can_draw() -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr)  # the app draws on standard error
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "") not in ("dumb", "")
