"""The registry of import formats, and the reading of a file in one of them."""

from __future__ import annotations

from pathlib import Path

import orjson

from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.exhaustion import exhaustion
from dsbuilder_tui.registry import Registry
from dsbuilder_tui.store.imports.import_format import ImportedDataset, ImportFormat

_SEED, _ROWS = "checkpoint", "rows"
IMPORT_FORMATS: Registry[ImportFormat] = Registry(
    "dsbuilder.import_formats",
    "import format",
    {
        _SEED: "dsbuilder_tui.store.imports.seed_checkpoint:FORMAT",
        _ROWS: "dsbuilder_tui.sources.rows.row_import:FORMAT",
    },
    "dsbuilder_tui.store.imports.import_format:ImportFormat",
)


def import_format_of(path: Path) -> str:
    """The name of the format with the longest ending that a file name has; that of rows when none fits."""
    fitting = [
        (len(row.ending), name)
        for name, row in IMPORT_FORMATS.all().items()
        if path.name.lower().endswith(row.ending.lower())
    ]
    return max(fitting)[1]


def read_dataset(path: Path, kind: str | None = None) -> ImportedDataset:
    """What a file holds, in the format of its ending or ``kind``. The file is never changed.

    Raises ``InputError`` or ``PlanError`` naming what is wrong in the file, ``ConfigError`` for an unknown format, or
    ``PlugInBroken`` for a format that cannot be loaded or fails at its work.
    """
    name = kind or import_format_of(path)
    if name != _ROWS:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from None
    format_ = IMPORT_FORMATS.load(name)
    try:
        dataset = format_.read(path)
        _check(dataset)
    except DsbuilderError:
        raise
    except OSError as error:
        if exhaustion(error) is not None:
            raise
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
    except Exception as error:  # whatever a stranger's reader does with a file it did not expect
        raise IMPORT_FORMATS.failed(name, error) from error
    return dataset


def _check(dataset: object) -> None:
    """Raises ``TypeError`` or ``ValueError`` when a reader's cases do not fit the plan that it made for them."""
    if not isinstance(dataset, ImportedDataset):
        raise TypeError(f"it read {type(dataset).__name__}, not ImportedDataset")
    counts = {c.name: c.count + len(dataset.retired.get(c.name, ())) for c in dataset.plan.categories}
    taken = {name: bytearray(count + 1) for name, count in counts.items()}  # a byte for each slot
    for name, ordinals in dataset.retired.items():
        for ordinal in ordinals:
            taken[name][ordinal] = 1
    kinds = {category.name: category.kind for category in dataset.plan.categories}
    for case in dataset.cases:
        if not 1 <= case.ordinal <= counts.get(case.category, 0):
            raise ValueError(f"the plan has no slot {case.ordinal} in {case.category!r}")
        if taken[case.category][case.ordinal]:
            raise ValueError(f"slot {case.ordinal} of {case.category!r} is filled twice, or retired")
        if kinds[case.category].odd_fields(dataset.plan.input_fields, case.inputs):
            raise ValueError(f"slot {case.ordinal} of {case.category!r} has other inputs than the plan's fields")
        orjson.dumps([case.inputs, case.expectations, case.tags])  # raises when they are not JSON
        taken[case.category][case.ordinal] = 1
