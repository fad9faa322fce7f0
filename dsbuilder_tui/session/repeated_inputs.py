"""Inputs that stand in a dataset more than once, as they may where a category's diversity is switched off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput

_MOST_NAMED = 3


class RepeatedInputs:
    """Counts the repeats among the cases that it is shown. Where every category is compared there are none to count."""

    def __init__(self, plan: DatasetPlanInput) -> None:
        self._counts = not all(category.compared for category in plan.categories)
        self._seen: set[bytes] = set()
        self._repeats: dict[str, int] = {}

    def see(self, cases: Iterable[AcceptedCase]) -> None:
        """Take in some more cases of the dataset."""
        if not self._counts:
            return
        for case in cases:
            key = hashlib.blake2b(orjson.dumps(case.inputs, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
            if key in self._seen:
                self._repeats[case.category] = self._repeats.get(case.category, 0) + 1
            self._seen.add(key)

    @property
    def total(self) -> int:
        """How many say what another one says."""
        return sum(self._repeats.values())

    @property
    def words(self) -> str:
        """What will be merged where records are told apart by their inputs; empty when nothing will."""
        total = self.total
        if not total:
            return ""
        names = sorted(self._repeats, key=lambda name: -self._repeats[name])
        named = ", ".join(f"{name} {self._repeats[name]}" for name in names[:_MOST_NAMED])
        more = f" and {counted(len(names) - _MOST_NAMED, 'more category')}" if len(names) > _MOST_NAMED else ""
        repeat = "case repeats" if total == 1 else "cases repeat"
        return (
            f"{total} {repeat} the inputs of another case ({named}{more}; diversity off): MLflow would merge them, "
            "since it tells records apart by their inputs."
        )
