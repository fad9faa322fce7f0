"""Scenarios: what MLflow's ConversationSimulator takes, which plays a user against the application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOAL, PERSONA, CONTEXT, GUIDELINES = "goal", "persona", "context", "simulation_guidelines"
SCENARIO_FIELDS = (GOAL, PERSONA, GUIDELINES, CONTEXT)  # and nothing else, or MLflow takes it for an ordinary record
_OF_SIMULATOR = ("input", "messages", "mlflow_session_id")  # arguments that the simulator itself gives the application


def checked_scenario(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of a scenario in the shape that the simulator takes; what says nothing is left out.

    ``context`` are arguments of the application, which the simulated user does not see. Raises ``ValueError`` naming the
    field that is missing, of another kind, or not known.
    """
    if unknown := sorted(str(key) for key in inputs if key not in SCENARIO_FIELDS):
        raise ValueError(f"{unknown[0]!r} is no field of a scenario; there are {', '.join(SCENARIO_FIELDS)}")
    scenario: dict[str, Any] = {GOAL: _text(GOAL, inputs.get(GOAL))}
    if not scenario[GOAL]:
        raise ValueError("`goal` is missing; write what the simulated user wants to reach, with all that they know")
    if persona := _text(PERSONA, inputs.get(PERSONA)):
        scenario[PERSONA] = persona
    given = inputs.get(GUIDELINES)
    if guidelines := [
        text for one in (given if isinstance(given, list | tuple) else [given]) if (text := _text(GUIDELINES, one))
    ]:
        scenario[GUIDELINES] = guidelines
    context = inputs.get(CONTEXT)
    if context is not None and not isinstance(context, Mapping):
        raise ValueError("`context` is no object; it holds arguments of the application by their names")
    if taken := sorted(set(context or {}) & set(_OF_SIMULATOR)):
        raise ValueError(
            f"`context` holds {taken[0]!r}, which the simulator gives the application itself; leave it out"
        )
    if context:
        scenario[CONTEXT] = dict(context)
    return scenario


def _text(field: str, value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{field}` is no text; write it as one")
    return (value or "").strip()
