"""The seed-format checkpoint JSON, read as a session that can be continued."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset, ImportFormat

_MOST_RETIRED = 10_000_000
_WAY_OUT = (
    "A checkpoint file is a JSON object with dataset_name, dataset_plan (categories) and created_instances (records "
    "with inputs and a category)."
)

_MOST_BYTES = 2**30


def read_seed_checkpoint(path: Path) -> ImportedDataset:
    """Read a checkpoint file. Raises ``InputError`` or ``PlanError`` naming the field and the fix."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path} is larger than {_MOST_BYTES // 2**30} GB.", "Import it in parts.")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON: {error}.", _WAY_OUT) from None
    if not isinstance(data, dict):
        raise InputError(f"{path} holds a {type(data).__name__}, not an object.", _WAY_OUT)
    instances = data.get("created_instances", [])
    if not isinstance(instances, list):
        raise InputError(f"{path}: created_instances must be a list, not {type(instances).__name__}.", _WAY_OUT)
    notes: list[str] = []
    plan = _plan(data, instances, path, notes)
    retired = _retired(data.get("retired_slots", {}), plan, path)
    cases = _cases(instances, plan, retired, path)
    declared = data.get("instances_created")
    if isinstance(declared, int) and declared != len(instances):
        notes.append(f"instances_created says {declared}, but the file holds {len(instances)}; the cases count")
    session_id, seed = data.get("session_id"), data.get("seed")
    return ImportedDataset(
        plan=plan,
        cases=cases,
        session_id=session_id if isinstance(session_id, str) else None,
        seed=seed if isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 else None,
        notes=notes,
        retired={name: sorted(ordinals) for name, ordinals in retired.items()},
    )


def _retired(given: Any, plan: DatasetPlanInput, path: Path) -> dict[str, set[int]]:
    """The retired slots of the plan's categories. Raises ``InputError`` when they cannot be that."""
    counts = {category.name: category.count for category in plan.categories}
    found: dict[str, set[int]] = {}
    try:
        pairs = [(name, first, last) for name, group in dict(given).items() for first, last in group if name in counts]
        fine = all(type(first) is int and type(last) is int and 1 <= first <= last for _, first, last in pairs)
        if not fine or sum(last - first + 1 for _, first, last in pairs) > _MOST_RETIRED:
            raise ValueError
        for name, first, last in pairs:
            found.setdefault(name, set()).update(range(first, last + 1))
        if any(max(slots) > counts[name] + len(slots) for name, slots in found.items()):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"{path}: retired_slots does not fit the plan.",
            "It maps categories to [first, last] pairs of slot numbers; leave it out to have the cases numbered anew.",
        ) from None
    return found


def _plan(data: Mapping[str, Any], instances: list[Any], path: Path, notes: list[str]) -> DatasetPlanInput:
    plan = data.get("dataset_plan")
    if not isinstance(plan, Mapping):
        raise InputError(f"{path}: dataset_plan is missing.", _WAY_OUT)
    plan = dict(plan)
    if not plan.get("dataset_name"):
        plan["dataset_name"] = data.get("dataset_name") or path.name.removesuffix(".json").removesuffix("_checkpoint")
        notes.append(f"the plan had no dataset_name; using {plan['dataset_name']!r}")
    if not plan.get("input_fields"):  # the original format has none: the cases tell
        found = [i["inputs"] for i in instances if isinstance(i, Mapping) and isinstance(i.get("inputs"), Mapping)]
        if found and all(set(inputs) == set(found[0]) for inputs in found):
            plan["input_fields"] = list(found[0])
    total = data.get("total_instances_planned")
    if not plan.get("total_instances"):
        plan.pop("total_instances", None)
    try:
        parsed = parse_plan(plan, str(path))
    except PlanError as error:
        raise PlanError(str(path), [f"dataset_plan.{problem}" for problem in error.problems]) from None
    if isinstance(total, int) and total != parsed.total_instances:
        notes.append(
            f"total_instances_planned says {total}, but the categories add up to {parsed.total_instances}; they count"
        )
    return parsed


def _cases(
    instances: list[Any], plan: DatasetPlanInput, retired: Mapping[str, Collection[int]], path: Path
) -> list[ImportedCase]:
    counts = {category.name: category.count + len(retired.get(category.name, ())) for category in plan.categories}
    taken: dict[str, set[int]] = {name: set(retired.get(name, ())) for name in counts}
    parsed: list[tuple[str, int | None, dict[str, Any]]] = []
    for number, instance in enumerate(instances):
        where = f"{path}: created_instances[{number}]"
        if not isinstance(instance, Mapping):
            raise InputError(f"{where} must be an object, not {type(instance).__name__}.", _WAY_OUT)
        given = instance.get("tags")
        tags: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        category = tags.get("category") or instance.get("category") or instance.get("category_name")
        if category is None and len(counts) == 1:
            category = next(iter(counts))
        if not isinstance(category, str) or category not in counts:
            raise InputError(
                f"{where}: its category {category!r} is not in the plan ({', '.join(counts)}).",
                "Give each instance one of these categories.",
            )
        kind = plan.category(category).kind
        inputs = instance.get("inputs", instance.get("input"))
        if isinstance(inputs, str):
            inputs = kind.example(plan.input_fields, inputs)
        if not isinstance(inputs, Mapping) or not inputs:
            raise InputError(f"{where}: inputs is missing or empty.", _WAY_OUT)
        if kind.odd_fields(plan.input_fields, inputs):
            raise InputError(
                f"{where}: its inputs have the keys {', '.join(map(str, inputs))}, "
                f"the plan's are {', '.join(kind.fields(plan.input_fields))}.",
                "Name the keys of all instances in dataset_plan.input_fields, and give each instance all of them.",
            )
        expectations = instance.get("expectations")
        if not isinstance(expectations, Mapping):
            expectations = plan.category(category).expectations
        slot = tags.get("slot")
        if not (isinstance(slot, int) and 1 <= slot <= counts[category] and slot not in taken[category]):
            slot = None
        else:
            taken[category].add(slot)
        body = {"inputs": dict(inputs), "expectations": dict(expectations), "tags": dict(tags)}
        parsed.append((category, slot, body))
    cases, surplus = [], 0
    free = {name: iter(sorted(set(range(1, count + 1)) - taken[name])) for name, count in counts.items()}
    for category, slot, body in parsed:
        ordinal = slot if slot is not None else next(free[category], None)
        if ordinal is None:
            surplus += 1
            continue
        tags = {key: value for key, value in body["tags"].items() if key not in ("case_id", "category", "slot")}
        tags |= plan.category(category).kind.as_tag()
        original = body["tags"].get("case_id")
        if original and original != case_id(category, ordinal):
            tags["imported_case_id"] = original
        cases.append(ImportedCase(category, ordinal, body["inputs"], body["expectations"], tags))
    if surplus:
        raise InputError(
            f"{path} holds {surplus} more instances than the plan's counts allow.",
            "Raise the counts in dataset_plan.categories, so that no instance is left behind.",
        )
    return cases


FORMAT = ImportFormat(ending=SEED_SUFFIX, read=read_seed_checkpoint)
