"""Kinds of cases: one request, a conversation up to a user's turn, or a scenario that a simulated user plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.conversation import MESSAGES, TURNS, checked_lengths, checked_messages
from dsbuilder_tui.domain.scenario import CONTEXT, GOAL, SCENARIO_FIELDS, checked_scenario

TAG = "kind"  # the key of a case's tags under which its kind stands, where it is not single


class CaseKind(StrEnum):
    """What the cases of a category are, which fixes the keys of their inputs."""

    SINGLE = "single"  # the plan's input fields
    CONVERSATION = "conversation"  # `messages` in place of the first of them
    SCENARIO = "scenario"  # what MLflow's ConversationSimulator plays

    @property
    def has_own_dataset(self) -> bool:
        """Whether MLflow keeps such records in datasets of their own: it refuses one that holds others beside them."""
        return self is CaseKind.SCENARIO

    def as_tag(self) -> dict[str, str]:
        """What stands of it in a case's tags: nothing of one that is single."""
        return {} if self is CaseKind.SINGLE else {TAG: self.value}

    def fields(self, planned: Mapping[str, str]) -> dict[str, str]:
        """The keys of the inputs with their meanings, for a plan with these input fields."""
        match self:
            case CaseKind.CONVERSATION if MESSAGES not in planned:
                return {MESSAGES: "", **dict(list(planned.items())[1:])}
            case CaseKind.SCENARIO:
                return dict.fromkeys(SCENARIO_FIELDS, "")
            case _:
                return dict(planned)

    def odd_fields(self, planned: Mapping[str, str], inputs: Mapping[str, Any]) -> list[str]:
        """The keys that inputs lack, and those that they have too many. Of a scenario only the goal is needed."""
        if self is CaseKind.SCENARIO:
            return sorted(({*inputs} - {*SCENARIO_FIELDS}) | ({GOAL} - {*inputs}))
        return sorted({*inputs} ^ {*self.fields(planned)})

    def example(self, planned: Mapping[str, str], given: str | Mapping[str, Any]) -> dict[str, Any]:
        """An example of a plan as inputs. A text is the request, the user's only turn, or the goal."""
        if isinstance(given, Mapping):
            return dict(given)
        match self:
            case CaseKind.CONVERSATION:
                return {MESSAGES: [{"role": "user", "content": given}]}
            case CaseKind.SCENARIO:
                return {GOAL: given}
            case CaseKind.SINGLE:
                return {next(iter(planned)): given}

    def check(
        self,
        category: str,
        planned: Mapping[str, str],
        examples: Sequence[str | Mapping[str, Any]],
        axes: Mapping[str, Sequence[str]],
    ) -> None:
        """Raises ``ValueError`` for examples that are none of this kind, or lengths that a conversation cannot have."""
        where = f"example_inputs of {category!r}"
        for example in examples:
            unknown = self.odd_fields(planned, example) if isinstance(example, Mapping) else []
            if unknown := [field for field in unknown if field in example]:
                known = "input_fields" if self is CaseKind.SINGLE else f"the fields of a {self.value}"
                raise ValueError(
                    f"{where}: the key {unknown[0]!r} is not one of {known} "
                    f"({', '.join(self.fields(planned))}); add it there or remove it"
                )
            try:
                self._check_example(example)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
        if self is CaseKind.CONVERSATION:
            try:
                checked_lengths(axes.get(TURNS, ()))
            except ValueError as error:
                raise ValueError(f"attributes of {category!r}: {error}") from None

    def _check_example(self, given: str | Mapping[str, Any]) -> None:
        if isinstance(given, str):
            return
        match self:
            case CaseKind.SCENARIO:
                checked_scenario(given)
            case CaseKind.CONVERSATION if MESSAGES in given:
                try:
                    checked_messages(given[MESSAGES], with_system=True)
                except ValueError as error:
                    raise ValueError(f"`{MESSAGES}` {error}") from None


def context_arguments(planned: Mapping[str, str], examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments that a scenario gives the application beside the messages, each with a value that it has in an example.

    They are the plan's other input fields, and what the examples have in their context besides.
    """
    named: dict[str, Any] = {field: "" for field in CaseKind.CONVERSATION.fields(planned) if field != MESSAGES}
    for example in reversed(examples):
        named |= example.get(CONTEXT) or {}
    return named


def kind_of_tags(tags: Mapping[str, Any]) -> CaseKind:
    """The kind that a case's tags name; single when they name none."""
    try:
        return CaseKind(str(tags.get(TAG, CaseKind.SINGLE)))
    except ValueError:
        return CaseKind.SINGLE
