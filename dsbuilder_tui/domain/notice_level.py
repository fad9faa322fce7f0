"""The level of a notice: how much it matters to a person."""

from __future__ import annotations

from enum import StrEnum


class NoticeLevel(StrEnum):
    """``ERROR`` is what stopped a run; a command that fails with it says it itself."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
