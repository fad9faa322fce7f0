"""Files of one export: MLflow refuses a dataset that holds scenarios beside other records, so they get a file of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.store.export.checkpoint import SEED_FORMAT
from dsbuilder_tui.store.export.formats import FORMATS

_SCENARIOS = "scenarios"


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """One file (or folder), and the categories whose cases it holds."""

    path: Path
    categories: tuple[DatasetCategory, ...]


def dataset_parts(plan: DatasetPlanInput, path: Path, kind: str) -> tuple[DatasetPart, ...]:
    """What an export to ``path`` in the format ``kind`` writes: that file, and ``name.scenarios.jsonl`` beside ``name.jsonl``
    where the plan has scenarios and other cases. The seed format, which is a session and no dataset, holds all.
    """
    apart = tuple(category for category in plan.categories if category.kind.has_own_dataset)
    rest = tuple(category for category in plan.categories if not category.kind.has_own_dataset)
    if not apart or not rest or kind == SEED_FORMAT:
        return (DatasetPart(path, plan.categories),)
    return DatasetPart(path, rest), DatasetPart(named_part(path, FORMATS.load(kind).ending, _SCENARIOS), apart)


def named_part(path: Path, ending: str, name: str) -> Path:
    """``cases.jsonl`` → ``cases.test.jsonl``, ``cases_deepeval.json`` → ``cases_test_deepeval.json``."""
    if path.name.endswith(ending):
        return path.with_name(f"{path.name.removesuffix(ending)}{'.' if ending.startswith('.') else '_'}{name}{ending}")
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def parts_words(parts: Sequence[DatasetPart]) -> str:
    """Where the cases of an export are: ``a.jsonl``, and what is said of a second file."""
    first, *others = parts
    if not others:
        return str(first.path)
    return f"{first.path}; scenarios: {others[0].path} (MLflow keeps them in datasets of their own)"
