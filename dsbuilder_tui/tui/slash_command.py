"""One slash command: its name, its help, its arguments, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.tui.studio.actions import StudioActions


def _none(session: Session) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A file of ``commands/`` holds one as ``COMMAND``.

    ``argument`` is how the help writes it, ``choices`` are the values it can take when they are known beforehand,
    ``arguments`` those that the session knows. ``run`` may raise any ``DsbuilderError``; it is told in the conversation.
    """

    name: str
    words: str
    rank: int  # its place in the help
    run: Callable[[StudioActions, str], Awaitable[None]]
    argument: str = ""
    choices: tuple[str, ...] = ()
    key: str = ""  # that does the same
    arguments: Callable[[Session], Sequence[str]] = _none
