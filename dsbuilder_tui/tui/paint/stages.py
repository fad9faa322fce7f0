"""The stages of the gate on screen: a role and a few words each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.stage_names import STAGES

if TYPE_CHECKING:
    from dsbuilder_tui.diversity.comparing_stage import ComparingStage

STAGE_ROLES: dict[str, str] = {
    Stage.STRUCTURAL: "info",
    Stage.NEAR: "accent",
    Stage.SEMANTIC: "warn",
    Stage.PERSON: "strong",
}


def comparing_stage(name: str) -> ComparingStage | None:
    """The stage of that name; None for what is none, or belongs to a package that is gone or broken."""
    if name not in STAGES.names():
        return None
    try:
        return cast("ComparingStage", STAGES.load(name))
    except PlugInBroken:
        return None


def stage_words(stage: str, score: float | None) -> str:
    """``near .81``; a score of 1 says nothing."""
    return stage + (f" {score:.2f}".replace("0.", ".") if score is not None and score < 1 else "")
