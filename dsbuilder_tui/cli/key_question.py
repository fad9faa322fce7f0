"""The questions, on a terminal, whether keys and prompts may go where a folder says, and a dataset where a session does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.key_trust import (
    ForeignAddress,
    KeyUse,
    TrustRisk,
    allow,
    foreign_addresses,
    foreign_tracking,
    refusal,
    uses_of,
)
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


def ask_before_keys_leave(config: DatasetBuilderConfig, uses: Sequence[KeyUse] = tuple(KeyUse)) -> None:
    """Ask about each address that is not allowed yet, and remember a yes.

    Raises ``ConfigError`` for a no, and without asking where nobody is there to answer.
    """
    foreign = foreign_addresses(config, [use for use in uses_of(config) if use in uses])
    _ask(foreign, "Go by that" if any(one.risk is TrustRisk.SPENDING for one in foreign) else "Send it there")


def ask_before_cases_are_logged(config: DatasetBuilderConfig) -> None:
    """Ask about the MLflow that a folder names. Without a yes nothing is logged there, and the run goes on."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        with contextlib.suppress(ConfigError):
            _ask(foreign_tracking(config), "Log them there")


def ask_before_mlflow_is_read(config: DatasetBuilderConfig) -> None:
    """Ask about the MLflow that a folder names, as ``ask_before_keys_leave`` does."""
    _ask(foreign_tracking(config, reading=True), "Read from there, and log there")


def ask_before_files_leave(session: Session) -> None:
    """Ask about the place for the dataset that came with a session, as ``ask_before_keys_leave`` does."""
    _ask(session.dataset.foreign_out, "Write it there")


def _ask(foreign: Sequence[ForeignAddress], question: str) -> None:
    if not foreign:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise refusal(foreign)
    for one in foreign:
        print(f"dsbuilder: {visible(one.words)}", file=sys.stderr)
    print(f"{question}, and remember the answer? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise refusal(foreign)
    allow(foreign)
