"""The words and values in which two plans differ, part by part, for the card of a plan."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.held_slots import HeldSlots
from dsbuilder_tui.domain.message import PlanPart
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput

_MOST_ITEMS = 12
_SHARED: Mapping[str, Callable[[DatasetPlanInput], Sequence[str]]] = {
    "description": lambda plan: plan.description.split(),
    "inputs": lambda plan: tuple(plan.input_fields),
    "written for each": lambda plan: [one.key for one in plan.write],
    "sources": lambda plan: plan.sources,
    "validators": lambda plan: _names(plan.validators),
    "rubric": lambda plan: [] if plan.rubric is None else ["own"],
}
_OF_CATEGORY: Mapping[str, Callable[[DatasetCategory], Sequence[str]]] = {
    "": lambda c: c.description.split(),
    "kind": lambda c: [c.kind.value],
    "examples": lambda c: [str(example) for example in c.example_inputs],
    "expectations": lambda c: [f"{key} {value}" for key, value in c.expectations.items()],
    "written for each": lambda c: [one.key for one in c.write],
    "tools": lambda c: [tool.name for tool in c.expected_tools],
    "validators": lambda c: _names(c.validators),
    "judge": lambda c: [c.judge.value],
    "sources": lambda c: c.sources,
    "passages": lambda c: [str(c.passages)],
    "answerable": lambda c: ["yes" if c.answerable else "no"],
    "rows": lambda c: [] if c.rows is None else [c.rows.words],
    "contrast": lambda c: [f"{c.contrast:.0%}"],
    "same": lambda c: [f"{c.same:.0%}"],
    "stages": lambda c: [planned.stage.value for planned in c.pipeline],
    "mode": lambda c: [c.mode.value],
    "diversity": lambda c: [c.diversity if isinstance(c.diversity, str) else "own"],
    "harder variations": lambda c: [str(len(one.slots)) for one in c.variations],
    "more": lambda c: [_held_words(one) for one in c.held],
}


def axis_parts(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[PlanPart]:
    """Axes by name, each with the values that stay, go and come."""
    return [
        _part(name, before.get(name, ()), after.get(name, ()), whole=True)
        for name in dict.fromkeys((*after, *before))
    ]  # fmt: skip


def plan_differences(before: DatasetPlanInput, after: DatasetPlanInput, renamed: Mapping[str, str]) -> list[PlanPart]:
    """What else than counts and axes differs: of the whole plan, then of each category that both have."""
    found = [_part(name, read(before), read(after)) for name, read in _SHARED.items() if read(before) != read(after)]
    new_name = {old: renamed.get(old, old) for old in (c.name for c in before.categories)}
    old = {new_name[category.name]: category for category in before.categories}
    for category in after.categories:
        was = old.get(category.name)
        if was is None:
            continue
        if was.name != category.name:
            found.append(PlanPart(subject="name", removed=(was.name,), added=(category.name,)))
        for name, read in _OF_CATEGORY.items():
            if read(was) != read(category):
                found.append(_part(f"{category.name} {name}".strip(), read(was), read(category)))
    return found


def _part(subject: str, before: Sequence[str], after: Sequence[str], *, whole: bool = False) -> PlanPart:
    """The difference of two sequences; words that follow one another there are told together. With ``whole`` what stays too."""
    removed, added, kept = list[str](), list[str](), list[str]()
    join: Callable[[Sequence[str]], list[str]] = list if whole else _together
    matcher = difflib.SequenceMatcher(None, list(before), list(after), autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            kept += after[c:d] if whole else ()
        else:
            removed += join(before[a:b])
            added += join(after[c:d])
    if whole:  # a value that only moved has neither come nor gone
        moved = set(removed) & set(added)
        kept += [value for value in added if value in moved]
        removed, added = ([value for value in found if value not in moved] for found in (removed, added))
    return PlanPart(
        subject=subject,
        kept=tuple(kept[:_MOST_ITEMS]),
        removed=tuple(removed[:_MOST_ITEMS]),
        added=tuple(added[:_MOST_ITEMS]),
        more=sum(max(0, len(found) - _MOST_ITEMS) for found in (kept, removed, added)),
    )


def _together(words: Sequence[str]) -> list[str]:
    """Single words as one run of them; what has a blank in it is an item of its own."""
    if any(" " in word for word in words):
        return list(words)
    return [" ".join(words)] if words else []


def _names(entries: Sequence[str | dict[str, Any]]) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry), "") for entry in entries]


def _held_words(held: HeldSlots) -> str:
    values = ", ".join(f"{axis} {value}" for axis, value in held.attributes.items())
    return f"{len(held.slots):,} with {values}"
