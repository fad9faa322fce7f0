"""The question before something that changes a session, on a terminal."""

from __future__ import annotations

import sys

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.sanitise import visible


def confirm(question: str, *, agreed: bool) -> bool:
    """Ask, unless it is ``agreed`` (``--yes``). Raises ``InputError`` where nobody is there to answer."""
    if agreed:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError(f"{question} Nobody is there to answer.", "Say --yes to agree.")
    print(f"{visible(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
