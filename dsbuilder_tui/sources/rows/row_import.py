"""A file of rows as a dataset: a plan out of what the rows are, and the rows as its cases; with room for more if wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_values import MAX_NAME_LENGTH, checked_name
from dsbuilder_tui.domain.sanitise import one_line, whole_characters
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.imported_rows import MOST_NAMES, ImportedRows, Numbers
from dsbuilder_tui.sources.rows.proposed_categories import proposed_categories
from dsbuilder_tui.sources.rows.row_cases import RowCases, inputs_of
from dsbuilder_tui.sources.rows.varied_texts import varied_texts
from dsbuilder_tui.store.imports.import_format import ImportedDataset, ImportFormat
from dsbuilder_tui.store.imports.seed_checkpoint import read_seed_checkpoint

_ONE = "cases"  # the category of rows that name none
_MOST_CATEGORIES = 200
_MOST_FIELDS = 50
_MOST_EXAMPLES = 5
_LONGEST_EXAMPLE = 2_000  # characters
_WRITTEN = (MlflowKey.FACTS, MlflowKey.RESPONSE, MlflowKey.GUIDELINES)  # keys that can be written for more cases
_SEED_MARKS = (b'"dataset_plan"', b'"created_instances"')
_SAMPLE = 4_096
_ENDINGS = frozenset(
    {".gz", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".psv", ".yaml", ".yml", ".parquet", ".arrow"}
)
_RESERVED = "goal"  # MLflow keeps this field for itself


@dataclass(slots=True)
class _RowGroup:
    """The rows of one category, by number; ``names`` are the categories of which the file says that they are there."""

    name: str
    rows: Numbers
    names: list[int]


def import_rows(path: Path, choice: FieldChoice | None = None) -> ImportedDataset:
    """The rows of a file as a dataset that is complete. Raises ``InputError`` naming what is wrong, and what helps.

    Categories are those the rows name, or one. Each row becomes a case with its inputs, expectations and tags; lines
    that give no row are told in the notes.
    """
    rows = ImportedRows(path, choice)
    return _dataset(path, rows, choice, _groups(rows, choice), None)


def extend_rows(path: Path, more: int, choice: FieldChoice | None = None) -> ImportedDataset:
    """The rows of a file as a dataset with ``more`` open slots, in proportion to what is there, and how often it was asked;
    without any, for a change of its plan. Raises as ``import_rows``.

    Rows that name no categories are put into some by what they are about. A varied few of each are its examples, and
    the expectations that most rows have are written for the new cases.
    """
    rows = ImportedRows(path, choice)
    groups = _groups(rows, choice)
    if len(groups) == 1 and groups[0].name == _ONE:
        one = groups[0]
        proposed = proposed_categories(rows.texts(one.rows))
        if len(proposed) > 1:
            groups = [_RowGroup(name, one.rows[members], one.names) for name, members in proposed.items()]
            rows.notes.append(f"categories by what the rows are about: {', '.join(proposed)}")
    return _dataset(path, rows, choice, groups, more)


def add_rows(plan: DatasetPlanInput, path: Path, choice: FieldChoice | None = None) -> ImportedDataset:
    """The rows of a file before the cases of a plan, whose counts stay those of the new ones. Raises as ``import_rows``.

    Rows go into the plan's category of their name, or into its only one; what fits none goes into categories of its own,
    which are full. Raises ``InputError`` too when the rows' fields cannot be the plan's.
    """
    rows = ImportedRows(path, choice)
    groups = _groups(rows, choice)
    fields = _fields(rows, groups, choice)
    wanted = list(plan.input_fields)
    if set(fields.values()) != set(wanted):
        if len(fields) != 1 or len(wanted) != 1:
            raise InputError(
                f"The rows of {path} have the fields {', '.join(fields.values())}, the plan has {', '.join(wanted)}.",
                "Name what goes in with --field, or the plan's input_fields alike.",
            )
        fields = dict.fromkeys(fields, wanted[0])
    names = {category.name.casefold(): category.name for category in plan.categories}
    if len(groups) == 1 and groups[0].name == _ONE and len(names) == 1:
        groups[0].name = plan.categories[0].name
    found = {names.get(group.name.casefold(), group.name): group for group in groups}
    data = plan.model_dump(mode="json", exclude={"total_instances"})
    for category in data["categories"]:
        category["count"] += len(found[category["name"]].rows) if category["name"] in found else 0
    data["categories"] += [
        {"name": name, "count": len(group.rows)} for name, group in found.items() if name not in names.values()
    ]
    cases = RowCases(rows, {name: group.rows for name, group in found.items()}, fields, _origin(path))
    return ImportedDataset(parse_plan(data, str(path)), cases, notes=rows.notes)


def _groups(rows: ImportedRows, choice: FieldChoice | None) -> list[_RowGroup]:
    """The rows by category, in the order in which categories first occur."""
    found: dict[str, _RowGroup] = {}
    apart = dict[str, list[Numbers]]()
    for number, (given, numbers) in enumerate(zip(rows.categories, rows.by_category(), strict=True)):
        name = plan_name(given, "") or _ONE
        group = found.setdefault(name.casefold(), _RowGroup(name, numbers, []))
        group.names.append(number)
        apart.setdefault(name.casefold(), []).append(numbers)
    if len(found) > _MOST_CATEGORIES:
        many = f"{len(found):,}" if len(rows.categories) < MOST_NAMES else f"More than {MOST_NAMES:,}"
        if choice is not None and choice.category_field is not None:
            raise InputError(
                f"{choice.category_field} has {many.lower()} values; a plan takes {_MOST_CATEGORIES} categories.",
                "Name another field with --category-field, or none.",
            )
        rows.notes.append(f"the {many.lower()} values of the rows' category are too many for a plan; all are in one")
        return [_RowGroup(_ONE, np.arange(len(rows)), list(range(len(rows.categories))))]
    for key, group in found.items():
        group.rows = np.sort(np.concatenate(apart[key]))
    return list(found.values())


def _dataset(
    path: Path, rows: ImportedRows, choice: FieldChoice | None, groups: Sequence[_RowGroup], more: int | None
) -> ImportedDataset:
    fields = _fields(rows, groups, choice)
    shares = in_proportion(more or 0, [rows.times_asked(group.rows) for group in groups])
    categories = [
        {
            "name": group.name,
            "count": len(group.rows) + share,
            "example_inputs": _examples(rows, group.rows, fields) if more is not None else [],
        }
        for group, share in zip(groups, shares, strict=True)
    ]
    plan = {
        "dataset_name": plan_name(_stem(path), "imported"),
        "categories": categories,
        "input_fields": list(fields.values()),
        **({"write": written} if more is not None and (written := _written(rows)) else {}),
    }
    cases = RowCases(rows, {group.name: group.rows for group in groups}, fields, _origin(path))
    return ImportedDataset(parse_plan(plan, str(path)), cases, notes=rows.notes)


def _origin(path: Path) -> str:
    """The name of the file as it stands in tags."""
    return one_line(path.name or str(path), MAX_NAME_LENGTH)


def in_proportion(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts that are to one another as the weights are, as nearly as can be."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    left = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in left[: total - sum(parts)]:
        parts[place] += 1
    return parts


def plan_name(text: str, otherwise: str) -> str:
    """A text as a name that a plan takes; ``otherwise`` when nothing is left of it."""
    name = unicodedata.normalize("NFC", text)[: 4 * MAX_NAME_LENGTH]
    name = re.sub(r"[^\w .\-]+", " ", name)
    name = re.sub(r"\.{2,}", ".", re.sub(r"\s+", " ", name)).strip(" .-")[:MAX_NAME_LENGTH].strip(" .-")
    try:
        return checked_name(name, "name")
    except ValueError:
        return otherwise


def _stem(path: Path) -> str:
    name = PurePath(path.name)
    while name.suffix.lower() in _ENDINGS:
        name = name.with_suffix("")
    return name.name


def _fields(rows: ImportedRows, groups: Sequence[_RowGroup], choice: FieldChoice | None) -> dict[str, str]:
    """The fields of all rows' inputs, and their names in the plan: of a path that somebody chose its last part, where no
    other has that. Any other name is the row's own, whatever dots are in it."""
    names = rows.fields() if len(groups) == 1 else rows.fields([number for group in groups for number in group.names])
    if len(names) > _MOST_FIELDS:
        many = f"{len(names):,}" if len(names) < MOST_NAMES else f"more than {MOST_NAMES:,}"
        raise InputError(
            f"The rows have {many} different fields; a plan takes {_MOST_FIELDS}.",
            "Name what goes in with --field.",
        )
    paths = choice.fields if choice is not None else ()
    short = {name: name.rpartition(".")[2] if name in paths else name for name in names}
    ends = list(short.values())
    found: dict[str, str] = {}
    for name in names:
        new = short[name] if ends.count(short[name]) == 1 and short[name] else name
        new = "".join(c for c in whole_characters(new) if c.isprintable()).strip()[:MAX_NAME_LENGTH] or "field"
        new = f"{new}_" if new == _RESERVED else new
        while new in found.values():
            new = f"{new[: MAX_NAME_LENGTH - 1]}_"
        found[name] = new
    return found


def _examples(rows: ImportedRows, numbers: Numbers, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """A varied few of the rows."""
    short = rows.no_longer_than(_LONGEST_EXAMPLE, numbers)
    chosen = varied_texts(rows.texts(short), _MOST_EXAMPLES)
    return [inputs_of(rows[int(short[place])], fields) for place in chosen]


def _written(rows: ImportedRows) -> list[str]:
    """The keys of expectations that most rows have."""
    return [key.value for key in _WRITTEN if 2 * rows.expected[key] > len(rows)]


def _read_any(path: Path) -> ImportedDataset:
    """A checkpoint under another name as that; any other file as rows."""
    if path.is_file():
        try:
            with path.open("rb") as handle:
                head = handle.read(_SAMPLE)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from None
        if head.lstrip().startswith(b"{") and any(mark in head for mark in _SEED_MARKS):
            return read_seed_checkpoint(path)
    return import_rows(path)


FORMAT = ImportFormat(ending="", read=_read_any)
