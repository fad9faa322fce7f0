"""The role in which a model is called."""

from __future__ import annotations

from enum import StrEnum


class CallRole(StrEnum):
    """Who makes a call. The values stand in session files and in JSON lines."""

    WORKER = "worker"  # it writes cases
    EVOLVE = "evolve"  # it makes drafts harder
    CRITIQUE = "critique"  # it says what is wrong with them
    REVISE = "revise"  # it mends that
    JUDGE = "judge"  # it reads cases, and says whether they are good
    TEMPLATES = "templates"  # it writes templates of cases

    def of(self, category: str) -> str:
        """What a call is at, in a word or two: ``refunds``, ``evolve refunds``, ``judge refunds``."""
        return category if self is CallRole.WORKER else f"{self} {category}"


STAGE_ROLES = (CallRole.EVOLVE, CallRole.CRITIQUE, CallRole.REVISE)  # behind the draft, in this order
