"""The cases of an imported file on their way into the session file, and what is learnt of them as they pass."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.domain.case import IMPORTED_FROM, AcceptedCase, times_asked
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.imported_counts import ImportedCounts
from dsbuilder_tui.store.imports.import_format import ImportedDataset


class CaseIntake:
    """Read once, in the store's thread, while ``stop`` may be called from another one.

    Attributes:
        models: who wrote the cases, as far as they say so.
    """

    def __init__(self, plan: DatasetPlanInput, dataset: ImportedDataset, seqs: range, now: float) -> None:
        """``seqs`` are the places of the cases in the history."""
        self._categories = {category.name: category for category in plan.categories}
        self._dataset, self._seqs, self._now = dataset, seqs, now
        self._stopped = threading.Event()
        self._name, self._counts, self._asked = "", Counter[str](), Counter[str]()
        self.models: set[str] = set()

    @property
    def counts(self) -> ImportedCounts:
        """The cases that have passed."""
        return ImportedCounts(self._name, self._counts, self._asked)

    def stop(self) -> None:
        """No more cases: whoever reads them gets a ``StorageError``."""
        self._stopped.set()

    def __iter__(self) -> Iterator[AcceptedCase]:
        for seq, case in zip(self._seqs, self._dataset.cases, strict=True):
            if self._stopped.is_set():
                raise StorageError("The import was stopped.", "Begin it anew; nothing of it is in the session.")
            category = self._categories[case.category]
            self._name = self._name or str(case.tags.get(IMPORTED_FROM, ""))
            self._counts[case.category] += 1
            self._asked[case.category] += times_asked(case.tags)
            if model := case.tags.get("model"):
                self.models.add(str(model))
            yield AcceptedCase(
                seq=seq,
                category=case.category,
                ordinal=case.ordinal,
                inputs=case.inputs,
                expectations=case.expectations,
                tags=case.tags,
                created_at=self._now,
                structure=structure_hash(case.inputs, category.kind) if category.compared else None,
            )
