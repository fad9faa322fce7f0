"""A change of a plan: what to add, remove, rename, count anew. Pure: a plan goes in, a plan and notes come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan

_CHANGEABLE = (
    "description",
    "example_inputs",
    "expectations",
    "attributes",
    "expected_tools",
    "diversity",
    "validators",
)


@dataclass(frozen=True, slots=True)
class Patched:
    """The plan after a change, what was renamed (old → new), and what the person should know of it."""

    plan: DatasetPlanInput
    renamed: dict[str, str]
    notes: tuple[str, ...]


def patched(plan: DatasetPlanInput, patch: Mapping[str, Any], accepted: Mapping[str, int]) -> Patched:
    """The plan with a change carried out. What is accepted is kept: a category that holds cases is lowered to them at
    most, and is not removed. Raises ``PlanError`` naming each problem."""
    held = {c.name: c.model_dump(mode="json") for c in plan.categories}
    problems: list[str] = []
    notes: list[str] = []
    for name in patch.get("remove") or ():
        if _known(name, held, problems, "remove"):
            cases = accepted.get(name, 0)
            if cases:
                held[name]["count"] = cases
                notes.append(f"{name} keeps its {counted(cases, 'accepted case')}; no more are written for it")
            else:
                del held[name]
    renamed: dict[str, str] = {}
    for old, new in (patch.get("rename") or {}).items():
        if not _known(old, held, problems, "rename"):
            continue
        if new in held and new != old:
            problems.append(f"rename: {new!r} is the name of another category; choose a new one")
            continue
        if accepted.get(old):
            problems.append(
                f"rename: {old!r} holds {counted(accepted[old], 'case')} whose ids carry its name; keep the name"
            )
            continue
        renamed[old] = str(new)
        held = {(str(new) if name == old else name): data for name, data in held.items()}
        held[str(new)]["name"] = new
    for name, count in (patch.get("counts") or {}).items():
        if _known(name, held, problems, "counts"):
            cases = accepted.get(name, 0)
            if isinstance(count, int) and not isinstance(count, bool) and count < cases:
                notes.append(
                    f"{name}: {counted(cases, 'case')} are accepted already and kept, so it cannot go to {count}"
                )
                count = cases
            held[name]["count"] = count
    for change in patch.get("change") or ():
        name = str(change.get("category", ""))
        if _known(name, held, problems, "change"):
            held[name] |= {key: change[key] for key in _CHANGEABLE if change.get(key) is not None}
    for category in patch.get("add") or ():
        name = str(category.get("name", ""))
        if name in held:
            problems.append(f"add: there is a category {name!r} already; change its count with counts")
        else:
            held[name] = dict(category)
    if problems:
        raise PlanError("the change", problems)
    data = plan.model_dump(mode="json", exclude={"categories", "total_instances"})
    data |= {key: patch[key] for key in ("dataset_name", "description", "input_fields") if patch.get(key)}
    data |= {key: patch[key] for key in ("attributes", "validators") if patch.get(key) is not None}
    return Patched(parse_plan({**data, "categories": list(held.values())}, "the change"), renamed, tuple(notes))


def _known(name: object, held: Mapping[str, Any], problems: list[str], what: str) -> bool:
    if name in held:
        return True
    problems.append(f"{what}: there is no category {name!r}; there are: {', '.join(held) or 'none'}")
    return False


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
        lines += [
            f"~ {name}: {field.replace('_', ' ')} changed"
            for field in _CHANGEABLE
            if getattr(was, field) != getattr(c, field)
        ]
    for field in ("dataset_name", "description", "input_fields", "attributes", "validators"):
        if getattr(before, field) != getattr(after, field):
            lines.append(f"~ {field.replace('_', ' ')} changed")
    return lines
