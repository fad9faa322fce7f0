"""The path of the finished dataset."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.session import Session


def default_export(session: Session) -> Path:
    """Where the finished dataset goes: as asked for at the start, else into the session's folder."""
    return session.out or session.folder / f"{session.id}.jsonl"
