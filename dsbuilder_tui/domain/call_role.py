"""The role in which a model is called."""

from __future__ import annotations

from enum import StrEnum


class CallRole(StrEnum):
    """Who makes a call. The values stand in session files and in JSON lines."""

    WORKER = "worker"  # it writes cases
    JUDGE = "judge"  # it reads them
    TEMPLATES = "templates"  # it writes templates of cases
