"""The session facade: what the command line, the terminal app and the Python API share."""

from __future__ import annotations

from dsbuilder_tui.domain.history import HistoryEntry, RejectionContext, SearchStep
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.session.files import check_plan

__all__ = ["CallTrace", "HistoryEntry", "Message", "RejectionContext", "SearchStep", "Session", "check_plan"]
