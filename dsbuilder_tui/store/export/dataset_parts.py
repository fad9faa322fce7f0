"""Files of one export: MLflow refuses a dataset that holds scenarios beside other records, so they get a file of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.store.export.checkpoint import SEED_FORMAT

_SCENARIOS = ".scenarios"  # between the name of the file and its ending


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """One file, and the categories whose cases it holds."""

    path: Path
    categories: tuple[DatasetCategory, ...]

    @property
    def of_scenarios(self) -> bool:
        """Whether its records are a simulator's, and nothing else."""
        return all(category.kind.has_own_dataset for category in self.categories)


def dataset_parts(plan: DatasetPlanInput, path: Path, format_name: str) -> tuple[DatasetPart, ...]:
    """The files that an export to ``path`` writes: that one, and ``name.scenarios.jsonl`` beside ``name.jsonl`` where the plan
    has scenarios and other cases. The seed format, which is a session and no dataset, holds all.
    """
    apart = tuple(category for category in plan.categories if category.kind.has_own_dataset)
    rest = tuple(category for category in plan.categories if not category.kind.has_own_dataset)
    if not apart or not rest or format_name == SEED_FORMAT:
        return (DatasetPart(path, plan.categories),)
    return DatasetPart(path, rest), DatasetPart(path.with_name(f"{path.stem}{_SCENARIOS}{path.suffix}"), apart)


def parts_words(parts: Sequence[DatasetPart]) -> str:
    """Where the cases of an export are: ``a.jsonl``, and what is said of a second file."""
    first, *others = parts
    if not others:
        return str(first.path)
    return f"{first.path}; scenarios: {others[0].path} (MLflow keeps them in datasets of their own)"
