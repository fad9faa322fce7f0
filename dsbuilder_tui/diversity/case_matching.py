"""Cases of one dataset matched with those of another: the same, edited, in another category, or in other words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
import xxhash

from dsbuilder_tui.diversity.answer import Question
from dsbuilder_tui.diversity.compared_text import masked
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.metrics import MOST_TEXTS, Spread, packed
from dsbuilder_tui.diversity.static_embedding import Vectors, built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.domain.dataset_comparison import (
    ChangedCase,
    ComparedDataset,
    ComparedRow,
    ComparedSide,
    DatasetComparison,
    NearMatch,
)
from dsbuilder_tui.domain.figures import Figures
from dsbuilder_tui.domain.plan_patch import changes

_BLOCK = 1024  # texts that are embedded, or asked about, at once
_ALIKE = 0.3  # share of words in common from which on two cases of one name are taken for versions of one
_TRUSTED = 0.5  # share of such pairs from which on names mean the same cases in both


def compare_datasets(
    before: ComparedDataset, after: ComparedDataset, rules: Rules | None = None, *, figures: bool = True
) -> DatasetComparison:
    """What differs between two datasets. Without ``figures`` how different the cases of each are is not measured.

    Points of one history know their cases by their places. Else cases are known by what they say, then by their names, as far
    as those mean the same in both; then by the built-in embedding and the gate's ``rules``. Takes 0.5 ms a case at most.
    """
    matching = _Matching(before.history is not None and before.history == after.history)
    removed, added = matching.match(before.cases, after.cases)
    near = _near(removed, added, rules or Rules())
    paired = {id(case) for match in near for case in (match.before, match.after)}
    plans = before.plan, after.plan
    vectors = _vectors([*before.cases, *after.cases]) if figures else {}
    return DatasetComparison(
        before=_side(before, vectors),
        after=_side(after, vectors),
        same=matching.same,
        plan=tuple(changes(*plans)) if plans[0] is not None and plans[1] is not None else (),  # type: ignore[arg-type]
        added=tuple(case for case in added if id(case) not in paired),
        removed=tuple(case for case in removed if id(case) not in paired),
        edited=tuple(matching.edited),
        moved=tuple(matching.moved),
        near=tuple(near),
    )


@dataclass(slots=True)
class _Matching:
    """Pairs up cases that are the same, or were."""

    one_history: bool
    same: int = 0
    edited: list[ChangedCase] = field(default_factory=list)
    moved: list[ChangedCase] = field(default_factory=list)

    def match(
        self, before: Sequence[ComparedRow], after: Sequence[ComparedRow]
    ) -> tuple[list[ComparedRow], list[ComparedRow]]:
        """Returns the cases of either side that have no other."""
        left, right = list(before), list(after)
        if self.one_history:
            left, right = self._by(lambda case: case.place, left, right, self._changed)
        left, right = self._by(_whole, left, right, self._unchanged)
        left, right = self._by(lambda case: (case.category, _said(case)), left, right, self._changed)
        left, right = self._by(_said, left, right, self._changed)
        return (left, right) if self.one_history else self._by_name(before, after, left, right)

    def _by(
        self,
        key: Callable[[ComparedRow], object],
        left: Iterable[ComparedRow],
        right: Iterable[ComparedRow],
        found: Callable[[ComparedRow, ComparedRow], None],
    ) -> tuple[list[ComparedRow], list[ComparedRow]]:
        waiting: dict[object, list[ComparedRow]] = defaultdict(list)
        for case in left:
            waiting[key(case)].append(case)
        alone = []
        for case in right:
            others = waiting.get(key(case))
            if others:
                found(others.pop(0), case)
            else:
                alone.append(case)
        return [case for others in waiting.values() for case in others], alone

    def _unchanged(self, before: ComparedRow, after: ComparedRow) -> None:
        self.same += 1

    def _changed(self, before: ComparedRow, after: ComparedRow) -> None:
        if _whole(before) == _whole(after):
            self.same += 1
        elif before.category != after.category and _said(before) == _said(after):
            self.moved.append(ChangedCase(before, after))
        else:
            self.edited.append(ChangedCase(before, after))

    def _by_name(
        self,
        before: Sequence[ComparedRow],
        after: Sequence[ComparedRow],
        left: Sequence[ComparedRow],
        right: Sequence[ComparedRow],
    ) -> tuple[list[ComparedRow], list[ComparedRow]]:
        """What bears one name in both is a case that was edited, where names mean the same cases in both; or where the two are
        alike all the same."""
        old, new = _names(before), _names(after)
        shared = old.keys() & new.keys()
        alike = {name for name in shared if _are_alike(old[name], new[name])}
        trusted = shared if len(alike) >= _TRUSTED * len(shared) else alike
        alone = {id(case) for case in (*left, *right)}
        for name in sorted(trusted):
            pair = old[name], new[name]
            if id(pair[0]) in alone and id(pair[1]) in alone:
                self._changed(*pair)
                alone -= {id(pair[0]), id(pair[1])}
        return [case for case in left if id(case) in alone], [case for case in right if id(case) in alone]


def _said(case: ComparedRow) -> int:
    """A digest of the inputs."""
    return xxhash.xxh3_128_intdigest(orjson.dumps(case.inputs, default=str, option=_SORTED))


def _whole(case: ComparedRow) -> int:
    parts = [case.category, case.inputs, case.expectations]
    return xxhash.xxh3_128_intdigest(orjson.dumps(parts, default=str, option=_SORTED))


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def _names(cases: Sequence[ComparedRow]) -> dict[str, ComparedRow]:
    """The cases by their names, those that one alone bears."""
    often = Counter(case.id for case in cases)
    return {case.id: case for case in cases if case.id and often[case.id] == 1}


def _are_alike(one: ComparedRow, other: ComparedRow) -> bool:
    words, others = set(one.text.casefold().split()), set(other.text.casefold().split())
    return len(words & others) >= _ALIKE * len(words | others)


def _near(removed: Sequence[ComparedRow], added: Sequence[ComparedRow], rules: Rules) -> list[NearMatch]:
    if not removed or not added:
        return []
    comparer, found, taken = Comparer(built_in_embedder(), across=True), list[NearMatch](), set[int]()
    try:
        for first in range(0, len(removed), _BLOCK):
            comparer.admit([_question(case, rules) for case in removed[first : first + _BLOCK]])
        for first in range(0, len(added), _BLOCK):
            some = added[first : first + _BLOCK]
            for case, answer in zip(some, comparer.ask([_question(case, rules) for case in some]), strict=True):
                match = answer.match
                if match is not None and match.row not in taken:
                    taken.add(match.row)
                    found.append(
                        NearMatch(
                            before=removed[match.row], after=case, stage=match.stage, score=match.score, reason=match.reason
                        )
                    )  # fmt: skip
    finally:
        comparer.file.close()
    return found


def _question(case: ComparedRow, rules: Rules) -> Question:
    return Question(case.category, case.text, {}, rules)


def _vectors(cases: Sequence[ComparedRow]) -> dict[str, Vectors]:
    """The vector of each text, which is made once."""
    embedder = built_in_embedder()
    texts, found = list(dict.fromkeys(case.text for case in cases)), dict[str, Vectors]()
    for first in range(0, len(texts), _BLOCK):
        some = texts[first : first + _BLOCK]
        found.update(zip(some, embedder.embed([masked(text) for text in some]).astype(np.float16), strict=True))
    return found


def _side(dataset: ComparedDataset, vectors: dict[str, Vectors]) -> ComparedSide:
    cases, spread = dataset.cases, Spread()
    figures = Figures(cases=len(cases))
    if vectors:
        for first in range(0, len(cases), _BLOCK):
            spread.add("", np.array([vectors[case.text] for case in cases[first : first + _BLOCK]]))
        sample = [case.text for case in cases[:: max(1, -(-len(cases) // MOST_TEXTS))]]
        figures = Figures(
            cases=len(cases), compared=spread.count(), variety=spread.vendi(),
            most_variety=min(spread.count(), spread.dimensions()), mean_likeness=spread.mean_similarity(),
            packed=packed(sample), sampled=len(sample),
        )  # fmt: skip
    return ComparedSide(
        name=dataset.name,
        cases=len(cases),
        categories=dict(Counter(case.category for case in cases)),
        checkpoint=dataset.checkpoint,
        revision=dataset.revision,
        planned=dataset.plan.total_instances if dataset.plan is not None else None,
        judged=dataset.judged,
        figures=figures,
        unreadable=dataset.unreadable,
    )
