"""One command of the command line: its name, its help, its arguments, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CliCommand:
    """A file of ``commands/`` holds one as ``COMMAND``.

    ``help`` is a line without a full stop. ``rank`` orders ``dsbuilder --help``. ``arguments`` adds to a parser of the
    command's own. ``run`` gets what was typed and returns the exit code; it may raise any ``DsbuilderError``. ``memory`` is
    what it takes at least, in megabytes of address space, where it compares texts.
    """

    help: str
    rank: int
    run: Callable[[argparse.Namespace], int]
    arguments: tuple[Callable[[argparse.ArgumentParser], object], ...] = ()
    memory: int = 0
