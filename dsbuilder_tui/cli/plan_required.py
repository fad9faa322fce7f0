"""Commands that need a session with a plan."""

from __future__ import annotations

from shlex import quote

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.session import Session
from dsbuilder_tui.wording import place


def require_plan(session: Session) -> None:
    """Raises ``InputError`` for a session that has no plan yet: it is a conversation, and those need the app."""
    if not session.planned:
        where = place(session.folder.parent)
        hint = f"Open it with `dsbuilder studio {quote(session.id)}{where}`."
        raise InputError(f"{session.id} has no plan yet.", hint)
