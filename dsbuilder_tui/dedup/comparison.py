"""The comparison of a pass: what answers whether rows repeat earlier ones, batch by batch, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

from dsbuilder_tui.dedup.paired_rows import PairedRows
from dsbuilder_tui.dedup.report import ClusterFigures, Likeness
from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.metrics import Spread
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row
from dsbuilder_tui.sources.rows.row_parts import TEXT_BREAK, Parts, compared_text

Batch = list[Row | BadLine]


class Comparison(Protocol):
    """A context manager around one pass. ``ahead`` is how many batches may wait for their answers while others are read.

    ``figures`` says what a cluster did of it; None where there is none.
    """

    ahead: int
    figures: ClusterFigures | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def batches(self, items: Iterable[Row | BadLine]) -> Iterator[Batch]:
        """The rows as they are to be submitted."""
        ...

    def submit(self, batch: Batch) -> Callable[[], list[Answer]]:
        """Begin with a batch; what is returned waits for the answer to each of its rows. Batches are asked for in order."""
        ...

    def likeness(self) -> Likeness:
        """How alike the admitted rows are, once all batches have their answers."""
        ...


class RowQuestions:
    """The questions that rows are, in the order of the file."""

    def __init__(self, config: DatasetBuilderConfig, rules: Rules) -> None:
        self._across, self._rules = config.diversity_across, rules
        self._pairs = PairedRows()

    def of(self, batch: Batch) -> list[Question]:
        rows = [item.parts for item in batch if isinstance(item, Row)]
        return [
            Question(_scope(parts), self._text(parts), parts.demands, self._rules, self._pairs.partner(parts))
            for parts in rows
        ]

    def _text(self, parts: Parts) -> str:
        """The text that is compared. Across categories there is no scope to keep questions about other passages apart."""
        if parts.shared and self._across:
            return compared_text(parts.inputs, "inputs")
        return parts.text


def likeness_of(comparer: Comparer) -> Likeness:
    """How alike the admitted rows are, all scopes together; nothing when there are no vectors."""
    rows = comparer.file.rows
    vectors = rows["vector"]
    if not vectors.shape[1]:
        return Likeness()
    spread = Spread()
    spread.add("", vectors, rows["nearest"])
    most = min(len(rows), vectors.shape[1])
    return Likeness(spread.nearest_similarity(), spread.mean_similarity(), spread.vendi(), most)


def batches_of(items: Iterable[Row | BadLine], rows: int, size: float = float("inf")) -> Iterator[Batch]:
    """The items in batches of so many, fewer where they come to more than ``size`` bytes."""
    batch: Batch = []
    total = 0
    for item in items:
        batch.append(item)
        total += len(item.raw)
        if len(batch) == rows or total >= size:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _scope(parts: Parts) -> str:
    """Rows are held against those of their category; where they share a passage, against those about the same one."""
    return f"{parts.category}{TEXT_BREAK}{text_hash(parts.shared)}" if parts.shared else parts.category
