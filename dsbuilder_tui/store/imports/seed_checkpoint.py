"""The seed-format checkpoint JSON, read as a session that can be continued."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import orjson

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset, ImportFormat
from dsbuilder_tui.store.imports.json_values import LONGEST_BESIDE, LONGEST_RECORD, JsonStream, Unusable
from dsbuilder_tui.store.imports.lazy_cases import LazyCases
from dsbuilder_tui.store.imports.temporary_records import TemporaryRecords

_MOST_RETIRED = 10_000_000
_WAY_OUT = (
    "A checkpoint file is a JSON object with dataset_name, dataset_plan (categories) and created_instances (records "
    "with inputs and a category)."
)

_INSTANCES = "created_instances"


def read_seed_checkpoint(path: Path) -> ImportedDataset:
    """Read a checkpoint file, one case after another: a few bytes a case are held in memory, however large it is.

    Raises ``InputError`` or ``PlanError`` naming the field and the fix, ``StorageError`` when the disk has no room for a copy.
    """
    try:
        with path.open("rb") as file:
            data, instances = _members(JsonStream(file.read), path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from None
    notes: list[str] = []
    plan = _plan(data, instances, path, notes)
    retired = _retired(data.get("retired_slots", {}), plan, path)
    cases = SeedCases(instances, plan, retired, path)
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


def _members(values: JsonStream, path: Path) -> tuple[dict[str, Any], _Instances]:
    """The members of the object in a file, and apart from them the elements of ``created_instances``."""
    data: dict[str, Any] = {}
    instances, size = _Instances(), 0
    try:
        if values.peek() not in ("{", ""):
            kind = type(values.value(LONGEST_BESIDE)[0]).__name__
            raise InputError(f"{path} holds a {kind}, not an object.", _WAY_OUT)
        values.take("{")
        while values.peek() != "}":
            key = _strict(values.value(LONGEST_RECORD)[1])
            if not isinstance(key, str):
                raise Unusable("not JSON: the name of a member was expected")
            values.take(":")
            if key == _INSTANCES and values.peek() == "[":
                instances = _Instances()
                for _, text in values.elements(LONGEST_RECORD):
                    _strict(text)
                    instances.append(text)
            else:
                value, text = values.value(LONGEST_BESIDE)
                data[key], size = _strict(text), size + len(text)
                if key == _INSTANCES:
                    raise InputError(f"{path}: {key} must be a list, not {type(value).__name__}.", _WAY_OUT)
                if size > LONGEST_BESIDE:
                    raise Unusable(f"more than {LONGEST_BESIDE // 2**20} MB beside its cases")
            if values.peek() != ",":
                break
            values.take(",")
            if values.peek() == "}":
                raise Unusable("not JSON: the name of a member was expected")
        values.take("}")
        values.skip_rest()
    except Unusable as problem:
        where = f", after {_INSTANCES}[{len(instances) - 1:,}]," if len(instances) else ""
        raise InputError(f"{path}{where} is {problem}.", _WAY_OUT) from None
    return data, instances


def _strict(text: str) -> Any:
    """The value of a text, as JSON alone has it. Raises ``Unusable`` for what only Python's reader takes, such as NaN."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unusable(f"not JSON: {error}") from None


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


def _plan(data: Mapping[str, Any], instances: Sequence[Any], path: Path, notes: list[str]) -> DatasetPlanInput:
    plan = data.get("dataset_plan")
    if not isinstance(plan, Mapping):
        raise InputError(f"{path}: dataset_plan is missing.", _WAY_OUT)
    plan = dict(plan)
    if not plan.get("dataset_name"):
        plan["dataset_name"] = data.get("dataset_name") or path.name.removesuffix(".json").removesuffix("_checkpoint")
        notes.append(f"the plan had no dataset_name; using {plan['dataset_name']!r}")
    if not plan.get("input_fields"):  # the original format has none: the cases tell
        given = (i["inputs"] for i in instances if isinstance(i, Mapping) and isinstance(i.get("inputs"), Mapping))
        first = next(given, None)
        if first is not None and all(inputs.keys() == first.keys() for inputs in given):
            plan["input_fields"] = list(first)
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


class _Instances(Sequence[Any]):
    """The elements of ``created_instances``, in a temporary file."""

    def __init__(self) -> None:
        self._texts: TemporaryRecords[str] = TemporaryRecords()

    def append(self, text: str) -> None:
        """Add one as it is written."""
        self._texts.append(text)

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, number: int) -> Any: ...
    @overload
    def __getitem__(self, number: slice) -> list[Any]: ...
    def __getitem__(self, number: int | slice) -> Any:
        if isinstance(number, slice):
            return [_strict(text) for text in self._texts[number]]
        return _strict(self._texts[number])


class SeedCases(LazyCases):
    """The instances of a checkpoint file as the cases of its plan, each read when it is asked for; 10 bytes an instance."""

    def __init__(
        self, instances: Sequence[Any], plan: DatasetPlanInput, retired: Mapping[str, Collection[int]], path: Path
    ) -> None:
        """Raises ``InputError`` naming the first instance that fits no slot of the plan."""
        self._instances, self._plan = instances, plan
        self._names = [category.name for category in plan.categories]
        numbers = {name: number for number, name in enumerate(self._names)}
        self._categories, self._ordinals = array("H"), array("Q")
        taken = {c.name: bytearray(c.count + len(retired.get(c.name, ())) + 1) for c in plan.categories}
        for name, ordinals in retired.items():
            for ordinal in ordinals:
                taken[name][ordinal] = 1
        for number, instance in enumerate(instances):
            where = f"{path}: {_INSTANCES}[{number}]"
            category, slot = _slot_of(instance, numbers, where)
            _inputs_of(instance, plan, category, where)
            free = slot is not None and 1 <= slot < len(taken[category]) and not taken[category][slot]
            if slot is not None and free:
                taken[category][slot] = 1
            self._categories.append(numbers[category])
            self._ordinals.append(slot if slot is not None and free else 0)
        self._place(taken, path)

    def __len__(self) -> int:
        return len(self._ordinals)

    def _case_at(self, place: int) -> ImportedCase:
        instance = self._instances[place]
        category, ordinal = self._names[self._categories[place]], self._ordinals[place]
        given = instance.get("tags")
        original = dict(given) if isinstance(given, Mapping) else {}
        tags = {key: value for key, value in original.items() if key not in ("case_id", "category", "slot")}
        tags |= self._plan.category(category).kind.as_tag()
        name = original.get("case_id")
        if name and name != case_id(category, ordinal):
            tags["imported_case_id"] = name
        expectations = instance.get("expectations")
        if not isinstance(expectations, Mapping):
            expectations = self._plan.category(category).expectations
        inputs = _inputs_of(instance, self._plan, category, "")
        return ImportedCase(category, ordinal, dict(inputs), dict(expectations), tags)

    def _place(self, taken: Mapping[str, bytearray], path: Path) -> None:
        """Give the instances that name no slot the free ones, in order."""
        free = {name: (place for place in range(1, len(slots)) if not slots[place]) for name, slots in taken.items()}
        surplus = 0
        for place, ordinal in enumerate(self._ordinals):
            if not ordinal:
                self._ordinals[place] = next(free[self._names[self._categories[place]]], 0)
                surplus += not self._ordinals[place]
        if surplus:
            raise InputError(
                f"{path} holds {surplus} more instances than the plan's counts allow.",
                "Raise the counts in dataset_plan.categories, so that no instance is left behind.",
            )


def _slot_of(instance: Any, numbers: Mapping[str, int], where: str) -> tuple[str, int | None]:
    """The category of an instance, and the slot that it names."""
    if not isinstance(instance, Mapping):
        raise InputError(f"{where} must be an object, not {type(instance).__name__}.", _WAY_OUT)
    given = instance.get("tags")
    tags: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    category = tags.get("category") or instance.get("category") or instance.get("category_name")
    if category is None and len(numbers) == 1:
        category = next(iter(numbers))
    if not isinstance(category, str) or category not in numbers:
        raise InputError(
            f"{where}: its category {category!r} is not in the plan ({', '.join(numbers)}).",
            "Give each instance one of these categories.",
        )
    slot = tags.get("slot")
    return category, slot if isinstance(slot, int) else None


def _inputs_of(instance: Mapping[str, Any], plan: DatasetPlanInput, category: str, where: str) -> Mapping[str, Any]:
    """The inputs of an instance. Raises ``InputError`` when they are not the plan's."""
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
    return inputs


FORMAT = ImportFormat(ending=SEED_SUFFIX, read=read_seed_checkpoint)
