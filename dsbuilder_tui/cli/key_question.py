"""The question, on a terminal, whether a key may go to an address that a file of the working folder names."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.key_trust import KeyUse, allow, foreign_addresses, refusal, uses_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


def ask_before_keys_leave(config: DatasetBuilderConfig, uses: Sequence[KeyUse] = tuple(KeyUse)) -> None:
    """Ask about each address that is not allowed yet, and remember a yes.

    Raises ``ConfigError`` for a no, and without asking where nobody is there to answer.
    """
    foreign = foreign_addresses(config, [use for use in uses_of(config) if use in uses])
    if not foreign:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise refusal(foreign)
    for one in foreign:
        print(f"dsbuilder: {visible(one.words)}", file=sys.stderr)
    print("Send it there, and remember the answer for this folder? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise refusal(foreign)
    allow(foreign)
