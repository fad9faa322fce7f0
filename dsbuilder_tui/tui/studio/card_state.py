"""State of a card: whether it waits for a person's answer, or what that was."""

from __future__ import annotations

from enum import StrEnum

from dsbuilder_tui.domain.approval import ApprovalDecision


class CardState(StrEnum):
    """States of a card."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    OLDER = "older"  # a later one took its place


_OF_DECISIONS = {
    ApprovalDecision.UNDECIDED: CardState.OPEN,
    ApprovalDecision.APPROVED: CardState.APPROVED,
    ApprovalDecision.DECLINED: CardState.DECLINED,
    ApprovalDecision.REPLACED: CardState.OLDER,
}


def card_state(decision: ApprovalDecision) -> CardState:
    """The state of the card of a question."""
    return _OF_DECISIONS[decision]
