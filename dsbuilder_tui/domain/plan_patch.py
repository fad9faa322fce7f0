"""A change of a plan: what to add, remove, rename, count anew. Pure: a plan goes in, a plan and notes come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.case_pair import ShareText
from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.held_slots import HeldSlots
from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput, ExpectedTool, parse_plan
from dsbuilder_tui.domain.row_axis import RowAxis
from dsbuilder_tui.domain.variation import Variation
from dsbuilder_tui.domain.writing_mode import WritingMode


class _PatchPart(BaseModel):
    # The docstrings of the fields are what a model reads that proposes a change.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CategoryDraft(_PatchPart):
    """A category that a plan is to have."""

    # What is wrong with a category is said by the plan itself, which knows more of it.
    model_config = ConfigDict(extra="allow")

    name: str
    """Short, in snake_case: letters, digits, _ and -."""
    description: str = ""
    """What these cases test, in a sentence or two: the worker reads it."""
    count: int
    """How many cases."""
    kind: CaseKind = CaseKind.SINGLE
    """`single`: one request. `conversation`: a history that ends with the user's message (`inputs.messages`); the axis `turns`
    in `attributes` says how many messages, such as ["3", "5"]; an example is the last message, or {"messages": [{"role",
    "content"}, ...]}. `scenario`: what MLflow's simulated user plays against the application; an example is the goal, or {"goal",
    "persona", "simulation_guidelines", "context"}."""
    example_inputs: list[str | dict[str, Any]] = Field(default_factory=list)
    """2 or 3 inputs as a real user would send them, with concrete details; a text, or an object of input fields."""
    expectations: dict[str, Any] = Field(default_factory=dict)
    """What holds for every case alike, such as {"contains_order_id": true} or {"guidelines": "..."}."""
    write: list[str | dict[str, Any]] = Field(default_factory=list)
    """Expectations that are written anew for each case, besides those of the whole plan: `expected_facts`, `guidelines`,
    `expected_response`, `expected_tool_calls`, or own ones such as {"priority": {"type": "text", "meaning": "how urgent \
    it is", "values": ["low", "high"]}}."""
    attributes: dict[str, list[str]] = Field(default_factory=dict)
    """Axes along which the cases differ, each with its values, such as {"tone": ["neutral", "angry"]}."""
    expected_tools: list[str | ExpectedTool] = Field(default_factory=list)
    """Tools that a right answer calls, when the application has tools."""
    sources: list[str] = Field(default_factory=list)
    """Documents (files, folders) that these cases are written from, as the person named them; each expected fact is then
    quoted from them. Leave it out when the whole plan has `sources`."""
    passages: int = 1
    """How many pieces of the documents a case is written from: 2 for questions that need both."""
    answerable: bool = True
    """False for questions that the documents do not answer: the right answer says so."""
    rows: str | RowAxis | None = None
    """A file of rows (CSV, JSON lines, Parquet …), as the person named it, when each case is to be about one of its rows, such as
    a product or a customer; {"file": "products.csv", "fields": ["name", "price"]} shows the writer these fields alone. Not
    together with `sources` or `mode: templates`."""
    contrast: ShareText = ""
    """The share of these cases, part of the count, that are contrast partners: the same as another case but for one decisive
    thing, so that another answer is right; such as "10 %". Only when the person wants such pairs."""
    same: ShareText = ""
    """The share that are paraphrase partners: they say what another case says in other words; the same answer is right."""
    pipeline: list[str | dict[str, Any]] = Field(default_factory=list)
    """Stages in which each case is written; leave it out unless the person asks for harder, rarer, more constrained or
    adversarial cases, or to have cases criticised and revised: [{"evolve": {"how": "harder"}}, "critique", "revise"] or a
    part of it, in this order. `how`: harder, rarer, constraints, adversarial. `model` of a stage: only one that the person
    named. Each stage costs a further call for every ten cases."""
    mode: WritingMode = WritingMode.EACH
    """`templates`: a model writes templates once, and the cases are made of them for nothing; for many plain cases, and when
    the person wants it cheap. Not together with `sources`."""


class CategoryChange(_PatchPart):
    """New values for fields of one category; what is left out stays as it is."""

    category: str
    """The category to change."""
    kind: CaseKind | None = None
    """Another kind needs other `example_inputs`; a category that holds cases keeps its kind."""
    description: str | None = None
    example_inputs: list[str | dict[str, Any]] | None = None
    expectations: dict[str, Any] | None = None
    attributes: dict[str, list[str]] | None = None
    expected_tools: list[str | ExpectedTool] | None = None
    write: list[str | dict[str, Any]] | None = None
    judge: JudgeMode | None = None
    """Which of its cases a judge reads; `all`: each, before it counts, and those that are there."""
    sources: list[str] | None = None
    passages: int | None = None
    answerable: bool | None = None
    rows: str | RowAxis | None = None
    """The file whose rows its cases are about; "" for none any more."""
    contrast: ShareText | None = None
    """The share of its cases that are contrast partners of others, such as "10 %"; "0 %" for none."""
    same: ShareText | None = None
    """The share of its cases that are paraphrase partners of others; "0 %" for none."""
    pipeline: list[str | dict[str, Any]] | None = None
    """All the stages in which its cases are written from now on; [] for a draft alone."""
    mode: WritingMode | None = None
    """`templates`: its cases are made of templates that a model writes once, at a fraction of the cost; `each`: a model writes
    every case."""
    # The agent has adjust_category for this one, which can change a part of it.
    diversity: SkipJsonSchema[Literal["on", "off"] | CategoryDiversity | None] = None
    # Which rules hold is for the person to say: a model would make names up.
    validators: SkipJsonSchema[list[str | dict[str, dict[str, Any]]] | None] = None
    # Which cases failed is known by evaluations alone: write_where_it_fails adds these.
    variations: SkipJsonSchema[list[Variation] | None] = None
    # Which slots are open is known by the session alone: `fill` says how many are wanted.
    held: SkipJsonSchema[list[HeldSlots] | None] = None


class CellFill(_PatchPart):
    """More cases in one cell of the coverage."""

    category: str
    attributes: dict[str, str]
    count: int = Field(ge=1)


class PlanPatch(_PatchPart):
    """A change of a plan; what is left out stays as it is."""

    add: list[CategoryDraft] = Field(default_factory=list)
    """Categories to add."""
    remove: list[str] = Field(default_factory=list)
    """Categories to take out; one that holds accepted cases keeps those."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Old name to new name; only for categories without cases."""
    counts: dict[str, int] = Field(default_factory=dict)
    """New total count by category, not the difference."""
    fill: list[CellFill] = Field(default_factory=list)
    """So many more cases of a category, held to these values (axis: value)."""
    change: list[CategoryChange] = Field(default_factory=list)
    """Other fields of a category; each given field replaces what was there."""
    attributes: dict[str, list[str]] | None = None
    """New axes shared by all categories."""
    input_fields: dict[str, str] | None = None
    """New keys of each case's inputs and what they mean."""
    description: str | None = None
    dataset_name: str | None = None
    write: list[str | dict[str, Any]] | None = None
    """Expectations that are written for each case of every category."""
    sources: list[str] | None = None
    """Documents (files, folders) that the cases of every category are written from, as the person named them."""
    # What is known of the application comes from describe_target.
    target: SkipJsonSchema[dict[str, Any] | None] = None
    validators: SkipJsonSchema[list[str | dict[str, dict[str, Any]]] | None] = None
    rubric: SkipJsonSchema[str | dict[str, str] | None] = None

    @classmethod
    def between(
        cls, before: DatasetPlanInput, after: DatasetPlanInput, renamed: Mapping[str, str] | None = None
    ) -> PlanPatch:
        """The change that leads from one plan to the other; ``renamed`` maps names of ``before`` to names of ``after``.

        The order of the categories is not part of it.
        """
        old, new = {c.name: c for c in before.categories}, {c.name: c for c in after.categories}
        rename = {name: to for name, to in (renamed or {}).items() if name in old and to in new and name != to}
        remove = [name for name in old if name not in rename and (name not in new or name in rename.values())]
        kept = {rename.get(name, name): category for name, category in old.items() if name not in remove}
        given: dict[str, Any] = {
            "add": [_draft(category) for name, category in new.items() if name not in kept],
            "remove": remove,
            "rename": rename,
            "counts": {name: new[name].count for name, was in kept.items() if new[name].count != was.count},
            "change": [_change(was, new[name]) for name, was in kept.items() if _differing(was, new[name])],
        }
        given = {part: value for part, value in given.items() if value}
        return cls(**given, **{name: _dumped(after, name) for name in _SHARED if _differ(before, after, name)})

    def arguments(self) -> dict[str, Any]:
        """The change as JSON, with what was given alone."""
        return self.model_dump(mode="json", exclude_unset=True)


_CHANGEABLE = tuple(name for name in CategoryChange.model_fields if name != "category")
_SHARED = (
    "dataset_name", "description", "input_fields", "attributes", "target", "write", "validators", "sources",
    "rubric",
)  # fmt: skip
_REMOVABLE = ("attributes", "target", "write", "validators", "sources", "rubric")


@dataclass(frozen=True, slots=True)
class Patched:
    """The plan after a change, what was renamed (old → new), and what the person should know of it."""

    plan: DatasetPlanInput
    renamed: dict[str, str]
    notes: tuple[str, ...]


def patched(
    plan: DatasetPlanInput, patch: PlanPatch, accepted: Mapping[str, int], *, pass_over: bool = False
) -> Patched:
    """The plan with a change carried out. What is accepted is kept: a category that holds cases is lowered to them at
    most, is not removed and keeps its name. A category that is renamed may be called by either name.

    Raises ``PlanError`` naming each part that cannot be carried out, or each fault of the plan that would come of it.
    With ``pass_over`` such parts are left out instead, and the notes say so.
    """
    held = {c.name: c.model_dump(mode="json") for c in plan.categories}
    renamed: dict[str, str] = {}
    problems: list[str] = []
    notes: list[str] = []

    def find(name: str, part: str) -> dict[str, Any] | None:
        found = held.get(name) or held.get(renamed.get(name, ""))
        if found is None:
            problems.append(f"{part}: there is no category {name!r}; there are: {', '.join(held) or 'none'}")
        return found

    for name in patch.remove:
        if (category := find(name, "remove")) is None:
            continue
        if cases := accepted.get(name, 0):
            category["count"] = cases
            notes.append(f"{name} keeps its {counted(cases, 'accepted case')}; no more are written for it")
        else:
            del held[name]
    for old, new in patch.rename.items():
        if find(old, "rename") is None:
            continue
        if new in held and new != old:
            problems.append(f"rename: {new!r} is the name of another category; choose a new one")
        elif cases := accepted.get(old, 0):
            problems.append(f"rename: {old!r} holds {counted(cases, 'case')} whose ids carry its name; keep the name")
        else:
            renamed[old] = new
            held = {(new if name == old else name): data for name, data in held.items()}
            held[new]["name"] = new
    for name, count in patch.counts.items():
        if (category := find(name, "counts")) is None:
            continue
        cases = accepted.get(name, 0)
        if count < cases:
            notes.append(f"{name}: {counted(cases, 'case')} are accepted already and kept, so it cannot go to {count}")
        category["count"] = max(count, cases)
    for change in patch.change:
        if (category := find(change.category, "change")) is not None:
            given = change.model_dump(mode="json", exclude_unset=True, exclude={"category"})
            cases, kind = accepted.get(category["name"], 0), category.get("kind", CaseKind.SINGLE)
            if cases and given.get("kind") not in (None, kind):
                other = given.pop("kind")
                problems.append(
                    f"change: {category['name']!r} holds {counted(cases, 'case')} of the kind {kind}; add a category of the "
                    f"kind {other} instead"
                )
            category |= {field: value for field, value in given.items() if value is not None}
    for cell in patch.fill:
        if (category := find(cell.category, "fill")) is not None:
            fill_cell(category, cell.attributes, cell.count)
    for added in patch.add:
        if added.name in held:
            problems.append(f"add: there is a category {added.name!r} already; change its count with counts")
        else:
            held[added.name] = added.model_dump(mode="json", exclude_unset=True)
    if problems and not pass_over:
        raise PlanError("the change", problems)
    data = plan.model_dump(mode="json", exclude={"categories", "total_instances"})
    given = {name: getattr(patch, name) for name in _SHARED}
    # A model that has nothing to say of a field often sends it empty; only the axes and the rules can be taken away.
    data |= {name: value for name, value in given.items() if value or (name in _REMOVABLE and value is not None)}
    new_plan = parse_plan({**data, "categories": list(held.values())}, "the change")
    return Patched(new_plan, renamed, (*notes, *problems))


def fill_cell(category: dict[str, Any], attributes: Mapping[str, str], count: int) -> None:
    """Give a category, as JSON, so many more cases that are held to these values. The slots are those behind its others,
    unless a session knows better which are open."""
    first = category["count"] + 1
    category["count"] += count
    slots = list(range(first, first + count))
    category["held"] = [*category.get("held", ()), {"attributes": dict(attributes), "slots": slots}]


def _draft(category: DatasetCategory) -> CategoryDraft:
    data = category.model_dump(mode="json", exclude_defaults=True)
    return CategoryDraft(**data | ({"expected_tools": _tools(category)} if category.expected_tools else {}))


def _change(before: DatasetCategory, after: DatasetCategory) -> CategoryChange:
    differing = set(_differing(before, after))
    data = {name: _dumped(after, name) for name in differing}
    tools = {"expected_tools": _tools(after)} if "expected_tools" in data else {}
    return CategoryChange(category=after.name, **data | tools)


def _dumped(model: BaseModel, name: str) -> Any:
    """A field as JSON, also one that is left out of a dump because it says nothing."""
    data = model.model_dump(mode="json", include={name})
    if name in data:
        return data[name]
    if (value := getattr(model, name)) is None:
        return ""
    return {} if isinstance(value, BaseModel) else [] if isinstance(value, tuple) else value


def _tools(category: DatasetCategory) -> list[str | ExpectedTool]:
    """The expected tools, in short where there is no more to one than its name."""
    return [tool if tool.arguments else tool.name for tool in category.expected_tools]


def _differing(before: DatasetCategory, after: DatasetCategory) -> list[str]:
    return [name for name in _CHANGEABLE if _differ(before, after, name)]


def _differ(before: BaseModel, after: BaseModel, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def changes(before: DatasetPlanInput, after: DatasetPlanInput) -> list[str]:
    """What differs between two plans, one line each, for a model or a person."""
    old, new = {c.name: c for c in before.categories}, {c.name: c for c in after.categories}
    lines = [f"+ {name} {c.count}" for name, c in new.items() if name not in old]
    lines += [f"− {name} {c.count}" for name, c in old.items() if name not in new]
    for name, c in new.items():
        was = old.get(name)
        if was is None:
            continue
        if was.count != c.count:
            lines.append(f"~ {name} {was.count} → {c.count}")
        lines += [f"~ {name}: {field.replace('_', ' ')} changed" for field in _differing(was, c)]
    lines += [f"~ {field.replace('_', ' ')} changed" for field in _SHARED if _differ(before, after, field)]
    return lines
