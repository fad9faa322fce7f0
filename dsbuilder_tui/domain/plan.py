"""The plan: what the dataset will hold. Validation names the field, the value and the fix."""

from __future__ import annotations

import difflib
import json
import math
import operator
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.case_pair import PairShare, PairShares, check_shares
from dsbuilder_tui.domain.conversation import TURNS
from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.expectation import MlflowKey, WrittenExpectation, WrittenKeys, merged_keys
from dsbuilder_tui.domain.held_slots import HeldSlots
from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.plain_words import plain_words, shown_value
from dsbuilder_tui.domain.plan_values import (
    MAX_NAME_LENGTH,
    as_list,
    checked_axes,
    checked_name,
    field_names,
    json_ready,
)
from dsbuilder_tui.domain.row_axis import RowsEntry
from dsbuilder_tui.domain.rubric import PlanRubric, RubricEntry
from dsbuilder_tui.domain.source_paths import MOST_PASSAGES_A_CASE, SourcePaths
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.domain.target import PlanTarget, ToolSchema
from dsbuilder_tui.domain.validator_choice import ValidatorEntries, merged_entries
from dsbuilder_tui.domain.variation import Variation
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.domain.writing_stage import StageEntries, WritingStage

DEFAULT_INPUT_FIELD = "query"
MAX_TEXT_LENGTH = 20_000

# MLflow evaluation datasets keep this `inputs` key for themselves.
_RESERVED_INPUT_FIELDS = {"goal"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedTool(_Model):
    """A tool call that a right answer makes. ``arguments`` may name the arguments that must match."""

    name: str = Field(min_length=1, max_length=200)
    arguments: dict[str, Any] = Field(default_factory=dict)


class DatasetCategory(_Model):
    """One category of test cases.

    ``kind`` says what they are: a request, a conversation up to the user's last message, or a scenario to be simulated.
    ``example_inputs`` is one text, one mapping of input fields, or a list of either. ``expectations`` is a mapping,
    a JSON object as text, or plain text (stored as ``guidelines``, which MLflow's scorers read). ``attributes`` are
    the axes along which the cases of this category differ. ``expectations`` are the same for all cases unless an input
    calls for another value, or for none; ``write`` are the keys that are written for each case, besides the plan's.
    ``validators`` name the rules that its cases have to keep, besides the plan's (see ``domain.validator_choice``).
    ``judge`` says which of its cases a judge reads; ``auto``: as the setting says.
    ``sources`` are documents in place of the plan's; each case is written from ``passages`` pieces of them, or, when the
    category is not ``answerable``, asks for what does not stand there; with ``rows`` each is about a row of a file. ``mode``
    says whether a model writes each case, or templates of which cases are made; ``pipeline`` are the stages in which one is
    written (see ``domain.writing_stage``), none where it is drafted alone. Of its cases the share ``contrast`` are partners
    that differ from another one in one decisive thing, the share ``same`` say what another one says in other words;
    ``variations`` say which slots vary which cases, ``held`` which are held to values of the axes. Raises
    ``pydantic.ValidationError`` for bad values.
    """

    name: str
    description: str = Field(default="", max_length=MAX_TEXT_LENGTH)
    count: int
    kind: CaseKind = Field(CaseKind.SINGLE, exclude_if=lambda kind: kind is CaseKind.SINGLE)
    example_inputs: tuple[str | dict[str, Any], ...] = ()
    expectations: dict[str, Any] = Field(default_factory=dict)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    expected_tools: tuple[ExpectedTool, ...] = ()
    diversity: Literal["on", "off"] | CategoryDiversity = "on"
    write: WrittenKeys = Field((), exclude_if=operator.not_)
    validators: ValidatorEntries = Field((), exclude_if=operator.not_)
    judge: JudgeMode = Field(JudgeMode.AUTO, exclude_if=lambda mode: mode is JudgeMode.AUTO)
    sources: SourcePaths = Field((), exclude_if=operator.not_)
    passages: int = Field(1, ge=1, le=MOST_PASSAGES_A_CASE, exclude_if=lambda number: number == 1)
    answerable: bool = Field(True, exclude_if=bool)
    rows: RowsEntry = Field(None, exclude_if=operator.not_)
    contrast: PairShare = Field(0.0, exclude_if=operator.not_)
    same: PairShare = Field(0.0, exclude_if=operator.not_)
    pipeline: StageEntries = Field((), exclude_if=operator.not_)
    variations: tuple[Variation, ...] = Field((), exclude_if=operator.not_)
    held: tuple[HeldSlots, ...] = Field((), exclude_if=operator.not_)
    mode: WritingMode = Field(WritingMode.EACH, exclude_if=lambda mode: mode is WritingMode.EACH)

    @field_validator("name", mode="before")
    @classmethod
    def _check_name(cls, value: object) -> str:
        return checked_name(value, "category name")

    @field_validator("count", mode="before")
    @classmethod
    def _check_count(cls, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("must be a whole number of cases; write for example 20")
        try:
            number = int(value) if not isinstance(value, float) or value.is_integer() else None
        except (ValueError, OverflowError):
            number = None
        if number is None:
            raise ValueError("must be a whole number of cases; write for example 20")
        if number < 1:
            raise ValueError("must be at least 1; give the category a count or remove it")
        return number

    @field_validator("kind", mode="before")
    @classmethod
    def _check_kind(cls, value: object) -> object:
        if value not in list(CaseKind):
            raise ValueError(f"must be one of {', '.join(CaseKind)}")
        return value

    @field_validator("example_inputs", mode="before")
    @classmethod
    def _check_examples(cls, value: object) -> object:
        examples = as_list(value if value is not None else [])
        if not isinstance(examples, list | tuple):
            raise ValueError("must be one example or a list of examples; write for example 'Where is my order #12345?'")
        for example in examples:
            if not isinstance(example, str | Mapping) or not example:
                raise ValueError("each example must be a text or a mapping of input fields; remove the empty one")
            if isinstance(example, str) and (not example.strip() or len(example) > MAX_TEXT_LENGTH):
                raise ValueError(f"each example needs 1 to {MAX_TEXT_LENGTH:,} characters of text")
        return tuple(json_ready(example) for example in examples)

    @field_validator("expectations", mode="before")
    @classmethod
    def _check_expectations(cls, value: object) -> object:
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return json_ready(value)
        if not isinstance(value, str):
            raise ValueError('must be a mapping, JSON or text; write for example {"contains_order_id": true}')
        text = value.strip()
        if not text.startswith(("{", "[")):
            return {"guidelines": text} if text else {}
        try:
            parsed = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"looks like JSON but is not: {error.msg} at character {error.pos}; mend the JSON or write plain text"
            ) from None
        if not isinstance(parsed, dict):
            raise ValueError('must be a JSON object; write for example {"contains_order_id": true}')
        return json_ready(parsed)

    @field_validator("attributes", mode="before")
    @classmethod
    def _check_attributes(cls, value: object) -> object:
        return checked_axes(value)

    @field_validator("expected_tools", mode="before")
    @classmethod
    def _check_tools(cls, value: object) -> object:
        tools = as_list(value if value is not None else [])
        if not isinstance(tools, list | tuple):
            raise ValueError("must be a list of tool names, or of {name, arguments}")
        return tuple({"name": tool} if isinstance(tool, str) else tool for tool in tools)

    @field_validator("diversity", mode="before")
    @classmethod
    def _check_diversity(cls, value: object) -> object:
        # YAML 1.1 reads the bare words `off` and `on` as booleans.
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, Mapping | CategoryDiversity):
            return value
        if value not in ("on", "off"):
            raise ValueError(
                f"must be 'on', 'off', or what to set: {{stages: [{', '.join(COMPARING_STAGES)}], near: 0.7, semantic: 0.92}}"
            )
        return value

    @field_validator("judge", mode="before")
    @classmethod
    def _check_judge(cls, value: object) -> object:
        return JudgeMode.OFF if value is False else value  # YAML 1.1 reads the bare word `off` so

    @model_validator(mode="after")
    def _check_partners(self) -> DatasetCategory:
        check_shares(self.name, self.contrast, self.same, by_templates=self.mode is WritingMode.TEMPLATES)
        return self

    @property
    def pairs(self) -> PairShares:
        """Which of its slots are partners of others."""
        return PairShares.of(self.contrast, self.same)

    @property
    def compared(self) -> bool:
        """Whether repeats in this category are turned away."""
        return self.diversity != "off" and self.stages != ()

    @property
    def is_staged(self) -> bool:
        """Whether more is done to its cases than to draft them."""
        return any(planned.stage is not WritingStage.DRAFT for planned in self.pipeline)

    @property
    def stages(self) -> tuple[str, ...] | None:
        """The comparing stages it names for itself; None when the session's hold."""
        return self.diversity.stages if isinstance(self.diversity, CategoryDiversity) else None


class DatasetPlanInput(_Model):
    """A whole dataset: its name, its categories, and how many cases in all.

    ``input_fields`` are the keys of each case's ``inputs`` (a list, or a mapping of field to meaning); by default they
    are read off the examples, or ``query``. ``attributes`` are axes, ``write`` expectations that are written for each
    case, ``validators`` rules and ``sources`` documents (files and folders) that all categories share. ``rubric`` is
    what a judge goes by.
    ``target`` says what the application keeps to and which
    tools it has. ``total_instances`` is checked against the counts; leave it out to have it summed. Raises
    ``pydantic.ValidationError`` for bad values.
    """

    dataset_name: str
    description: str = Field(default="", max_length=MAX_TEXT_LENGTH)
    categories: tuple[DatasetCategory, ...]
    total_instances: int = 0
    input_fields: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    target: PlanTarget = Field(default_factory=PlanTarget, exclude_if=lambda target: target.is_empty)
    write: WrittenKeys = Field((), exclude_if=operator.not_)
    validators: ValidatorEntries = Field((), exclude_if=operator.not_)
    rubric: RubricEntry = Field(default_factory=PlanRubric, exclude_if=lambda rubric: rubric.is_empty)
    sources: SourcePaths = Field((), exclude_if=operator.not_)

    @field_validator("dataset_name", mode="before")
    @classmethod
    def _check_name(cls, value: object) -> str:
        return checked_name(value, "dataset name")

    @field_validator("categories", mode="after")
    @classmethod
    def _check_categories(cls, value: tuple[DatasetCategory, ...]) -> tuple[DatasetCategory, ...]:
        if not value:
            raise ValueError("is empty; add at least one category")
        seen: dict[str, str] = {}
        for category in value:
            key = category.name.casefold()
            if key in seen:
                raise ValueError(
                    f"{category.name!r} is named twice (small and capital letters count as the same); "
                    "give each category its own name"
                )
            seen[key] = category.name
        return value

    @field_validator("input_fields", mode="before")
    @classmethod
    def _check_fields(cls, value: object) -> object:
        if value is None:
            return {}
        if isinstance(value, str):
            value = [value]
        fields = dict(value) if isinstance(value, Mapping) else dict.fromkeys(field_names(value), "")
        for field in fields:
            if not isinstance(field, str) or not field.strip() or len(field) > MAX_NAME_LENGTH:
                raise ValueError(f"{field!r} cannot be a field name; use the argument names of your application")
            if field in _RESERVED_INPUT_FIELDS:
                raise ValueError(f"{field!r} is reserved by MLflow evaluation datasets; choose another field name")
        return {field: "" if meaning is None else str(meaning) for field, meaning in fields.items()}

    @field_validator("attributes", mode="before")
    @classmethod
    def _check_attributes(cls, value: object) -> object:
        return checked_axes(value)

    @field_validator("target", mode="before")
    @classmethod
    def _check_target(cls, value: object) -> object:
        return {} if value is None else json_ready(value) if isinstance(value, Mapping | list) else value

    @field_validator("total_instances", mode="before")
    @classmethod
    def _check_total(cls, value: object) -> object:
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError("must be a whole number of at least 1; leave it out to have the counts summed")
        return value

    @model_validator(mode="after")
    def _check_sums_and_fields(self) -> DatasetPlanInput:
        counts = sum(category.count for category in self.categories)
        if self.total_instances and self.total_instances != counts:
            parts = " + ".join(f"{category.name} {category.count}" for category in self.categories)
            raise ValueError(
                f"total_instances: {self.total_instances} — the categories add up to {counts} ({parts}); "
                f"write total_instances: {counts}, or change the counts"
            )
        object.__setattr__(self, "total_instances", counts)
        if not self.input_fields:
            seen: dict[str, str] = {}
            for category in self.categories:
                if category.kind is CaseKind.SINGLE:
                    for example in category.example_inputs:
                        seen.update(dict.fromkeys(example, "") if isinstance(example, Mapping) else {})
            bad = sorted(_RESERVED_INPUT_FIELDS & set(seen))
            if bad:
                raise ValueError(
                    f"example_inputs: the key {bad[0]!r} is reserved by MLflow evaluation datasets; rename it"
                )
            object.__setattr__(self, "input_fields", seen or {DEFAULT_INPUT_FIELD: ""})
        for category in self.categories:
            category.mode.check(
                category.name, category.kind, has_sources=bool(self.sources_of(category)), is_staged=category.is_staged
            )
            category.kind.check(category.name, self.input_fields, category.example_inputs, self.axes(category))
            if category.rows is not None:
                category.rows.check(category.name, category.mode, has_sources=bool(self.sources_of(category)))
        return self

    @classmethod
    def undecided(cls, name: str) -> DatasetPlanInput:
        """The plan of a session in which nothing is planned yet: a name and nothing else.

        Raises ``PlanError`` for a name that a dataset cannot have.
        """
        try:
            name = checked_name(name, "dataset name")
        except ValueError as error:
            raise PlanError("plan", [f"dataset_name: {name!r} — {error}"]) from None
        return cls.model_construct(dataset_name=name, categories=(), input_fields={DEFAULT_INPUT_FIELD: ""})

    @property
    def decided(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.categories)

    def category(self, name: str) -> DatasetCategory:
        """The category of that name; raises ``KeyError`` when there is none."""
        for category in self.categories:
            if category.name == name:
                return category
        raise KeyError(name)

    def axes(self, category: DatasetCategory) -> dict[str, tuple[str, ...]]:
        """The axes of a category: the shared ones, then its own (which win on a clash).

        A shared axis of lengths is that of the conversations, where there are any.
        """
        shared = self.attributes
        if TURNS in shared and category.kind is not CaseKind.CONVERSATION and self.has_kind(CaseKind.CONVERSATION):
            shared = {axis: values for axis, values in shared.items() if axis != TURNS}
        return {**shared, **category.attributes}

    def has_kind(self, kind: CaseKind) -> bool:
        """Whether some category's cases are of this kind."""
        return any(category.kind is kind for category in self.categories)

    def fields_of(self, category: DatasetCategory) -> dict[str, str]:
        """The keys of the inputs of a category's cases, with their meanings."""
        return category.kind.fields(self.input_fields)

    def validators_of(self, category: DatasetCategory) -> tuple[str | dict[str, dict[str, Any]], ...]:
        """What the plan says of a category's validators: shared entries, then its own, which win; one for each name."""
        return merged_entries(self.validators, category.validators)

    def written_for(self, category: DatasetCategory) -> tuple[WrittenExpectation, ...]:
        """The expectations that are written for each case of a category: what its documents or its contrasts call for, the
        shared ones, then its own, which win."""
        called_for = self._grounded_keys(category) or self._contrasted_keys(category)
        return merged_keys(called_for, self.write, category.write)

    def sources_of(self, category: DatasetCategory) -> tuple[str, ...]:
        """The documents that a category's cases are written from: its own, or the plan's where it names none."""
        return category.sources or self.sources

    def all_sources(self) -> tuple[str, ...]:
        """Every document that some category is written from, each once."""
        return tuple(dict.fromkeys(path for category in self.categories for path in self.sources_of(category)))

    def _grounded_keys(self, category: DatasetCategory) -> tuple[WrittenExpectation, ...]:
        if not self.sources_of(category):
            return ()
        return (WrittenExpectation(key=MlflowKey.FACTS if category.answerable else MlflowKey.GUIDELINES),)

    def _contrasted_keys(self, category: DatasetCategory) -> tuple[WrittenExpectation, ...]:
        """Where nothing is expected of a case, nothing could differ in its partner."""
        said = self.write or category.write or category.expectations or category.expected_tools
        return (WrittenExpectation(key=MlflowKey.GUIDELINES),) if category.contrast and not said else ()

    def examples(self, category: DatasetCategory) -> list[dict[str, Any]]:
        """The category's examples as inputs of its kind."""
        return [category.kind.example(self.input_fields, example) for example in category.example_inputs]

    def combinations(self, category: DatasetCategory) -> int:
        """How many distinct attribute tuples the category's axes allow."""
        return math.prod(len(values) for values in self.axes(category).values())


def parse_plan(data: object, source: str = "plan") -> DatasetPlanInput:
    """Validate plain data as a plan.

    Raises ``PlanError`` with one sentence per problem, each naming the field, the value and the fix.
    """
    if not isinstance(data, Mapping):
        kind = "nothing" if data is None else "a list" if isinstance(data, list) else "a single value"
        raise PlanError(source, [f"the file must hold fields such as dataset_name and categories, but holds {kind}"])
    try:
        return DatasetPlanInput.model_validate(dict(data))
    except ValidationError as error:
        raise PlanError(source, [_sentence(detail) for detail in error.errors()]) from None


def _owner(place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model whose field a place in a plan is, or would be."""
    if "write" in place[:-1]:
        return WrittenExpectation
    if place[0] == "target" and len(place) > 1:
        return PlanTarget if len(place) == 2 else ToolSchema
    return DatasetCategory if place[0] == "categories" else DatasetPlanInput


def _sentence(detail: Any) -> str:
    where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in detail["loc"]).lstrip(".")
    kind, value = detail["type"], detail.get("input")
    if kind == "missing":
        return f"{where}: missing; add it"
    if kind == "extra_forbidden":
        known = [name for name in _owner(detail["loc"]).model_fields if name != "key"]
        close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{where}: no such field; " + (f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}")
    message = plain_words(detail)
    if not where:
        return message
    shown = shown_value(value)
    return f"{where}: {shown} — {message}" if shown else f"{where}: {message}"
