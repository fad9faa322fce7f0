"""The scenario that a simulated user plays in a trace, as far as MLflow's ConversationSimulator says so there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.scenario import GOAL, GUIDELINES, PERSONA

_OF_SIMULATION = "mlflow.simulation."  # before the names of the fields, in a trace's metadata
_SHOWN = 250  # characters of a field that the simulator puts there


@dataclass(frozen=True, slots=True)
class PlayedScenario:
    """What a trace shows of a scenario: the beginnings of its fields. One without a persona has one of the simulator's in
    traces."""

    goal: str
    guidelines: str
    persona: str

    def case_among(self, scenarios: Iterable[tuple[PlayedScenario, int]]) -> int | None:
        """The place of the only case that can be meant, of those with their places; None for none, or several."""
        alike = [
            (one.persona, seq) for one, seq in scenarios if (one.goal, one.guidelines) == (self.goal, self.guidelines)
        ]
        meant = [seq for persona, seq in alike if persona == self.persona] or [
            seq for persona, seq in alike if not persona
        ]
        return meant[0] if len(meant) == 1 else None


def scenario_in_trace(metadata: Mapping[str, str]) -> PlayedScenario | None:
    """What the metadata of a trace say; None for one that no simulator has made."""
    goal, guidelines, persona = (metadata.get(f"{_OF_SIMULATION}{key}", "") for key in (GOAL, GUIDELINES, PERSONA))
    return PlayedScenario(goal, guidelines, persona) if goal else None


def scenario_of(inputs: Mapping[str, Any]) -> PlayedScenario | None:
    """What traces will show of the scenario with these inputs; None for those of no scenario."""
    goal, guidelines, persona = inputs.get(GOAL), inputs.get(GUIDELINES) or "", inputs.get(PERSONA) or ""
    if not goal:
        return None
    said = "\n".join(map(str, guidelines)) if isinstance(guidelines, list | tuple) else str(guidelines)
    return PlayedScenario(str(goal)[:_SHOWN], said[:_SHOWN], str(persona)[:_SHOWN])
