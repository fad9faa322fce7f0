"""The stages of the gate on screen: a role and a few words each."""

from __future__ import annotations

from dsbuilder_tui.domain.stage import Stage

STAGE_ROLES: dict[str, str] = {
    Stage.STRUCTURAL: "info",
    Stage.NEAR: "accent",
    Stage.SEMANTIC: "warn",
    Stage.PERSON: "strong",
}


def stage_words(stage: str, score: float | None) -> str:
    """``near .81``; a score of 1 says nothing."""
    return stage + (f" {score:.2f}".replace("0.", ".") if score is not None and score < 1 else "")
