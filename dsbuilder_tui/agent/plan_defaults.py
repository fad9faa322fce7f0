"""Defaults of a proposed plan: the application as it was described, and what is usually written for each case."""

from __future__ import annotations

from dsbuilder_tui.domain.expectation import MlflowKey, WrittenExpectation
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.target import PlanTarget
from dsbuilder_tui.session import Session

_LANGUAGE_AXES = {"language", "lang"}
_LANGUAGE = WrittenExpectation(key="language", meaning="the language that the answer must be in", optional=True)
PLAN_TARGET = "plan_target"  # under which the session's memory of the application keeps it


def with_described_target(plan: DatasetPlanInput, session: Session) -> DatasetPlanInput:
    """The plan with the application that was described in this session, unless it has its own."""
    known = session.agent_memory.target.get(PLAN_TARGET)
    if not known or not plan.target.is_empty:
        return plan
    return plan.model_copy(update={"target": PlanTarget.model_validate(known)})


def with_usual_writing(plan: DatasetPlanInput) -> DatasetPlanInput:
    """The plan with what is best written for each case: facts and guidelines, tool calls where there are tools, and the
    language where cases come in several.

    Nobody has asked for them by name: a model that does not follow a schema is not turned away for leaving them out.
    """
    write = [_usual(MlflowKey.FACTS), _usual(MlflowKey.GUIDELINES)]
    calls = _usual(MlflowKey.TOOL_CALLS)
    if plan.target.tools:
        write.append(calls)
    categories = []
    for category in plan.categories:
        own = [calls] if category.expected_tools and not plan.target.tools else []
        languages = [values for axis, values in plan.axes(category).items() if axis.casefold() in _LANGUAGE_AXES]
        if any(len(values) > 1 for values in languages):
            own.append(_LANGUAGE)
        categories.append(category.model_copy(update={"write": tuple(own)}))
    return plan.model_copy(update={"write": tuple(write), "categories": tuple(categories)})


def _usual(key: MlflowKey) -> WrittenExpectation:
    return WrittenExpectation(key=key.value, optional=True)
