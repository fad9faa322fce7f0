"""Questions about what the cases are like, and what became of the plan: from a clause to the arguments of ``ask_data``.

Lengths, two things side by side, how different the cases are, why a part is empty, what was changed, where the files are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dsbuilder_tui.domain.data_question import DataGroup, DataOrder, DataSubject
from dsbuilder_tui.offline.planner.counts import whole
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import forms
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions

Arguments = dict[str, Any]
_MOST_SHOWN = 20
_AND = re.compile(r"\s*,?\s*\b(?:and|with|to|against|versus|vs\.?|or|than|&)(?!\w)\s*|\s*,\s*", re.IGNORECASE)


class MeasureRequests:
    """Reads clauses against the parts of one plan."""

    def __init__(self, mentions: PlanMentions) -> None:
        self._mentions, self._phrase = mentions, intent_table().phrase
        self._readers: tuple[Callable[[str], Arguments | None], ...] = (
            self._files, self._changes, self._comparison, self._rank, self._cause, self._length, self._done, self._covered,
            self._variety,
        )  # fmt: skip

    def read(self, text: str) -> Arguments | None:
        """What a clause asks; None when it asks nothing of the kind."""
        return next((asked for reader in self._readers if (asked := reader(text)) is not None), None)

    def _says(self, phrase: str, text: str) -> bool:
        return self._phrase(phrase).search(text) is not None

    def _of(self, text: str) -> Arguments:
        """The category and the values that a question is about."""
        named = self._mentions.find(text)
        found: Arguments = {"category": named.category} if named.category else {}
        return {**found, "attributes": named.alone} if named.alone else found

    def _files(self, text: str) -> Arguments | None:
        return {"what": DataSubject.FILES.value} if self._phrase("asks_files").fullmatch(text) else None

    def _changes(self, text: str) -> Arguments | None:
        found = self._phrase("asks_changes").fullmatch(text)
        if found is None:
            return None
        asked: Arguments = {"what": DataSubject.CHANGES.value}
        if found["point"]:
            return {**asked, "since": "checkpoint"}
        if found["span"]:
            number, unit = found["number"] or "1", found["unit"].lower().rstrip("s")
            return {**asked, "since": f"{number} {unit}s ago"}
        return {**asked, "since": found["when"]} if found["when"] else asked

    def _comparison(self, text: str) -> Arguments | None:
        """“Compare angry and polite”, “refunds vs order status”: both of one kind, or it is none of ours."""
        found = self._phrase("asks_comparison").fullmatch(text)
        if found is None:
            return None
        named = next((group for group in found.groups() if group), "")
        parts = [part for part in _AND.split(named) if part.strip()]
        if len(parts) == 1 and re.fullmatch(r"(?:all )?(?:the |our )?categories", parts[0], re.IGNORECASE):
            return {"what": DataSubject.COMPARISON.value, "by": DataGroup.CATEGORY.value}
        if len(parts) == 1:
            axis = next(
                (axis for axis in self._mentions.axes if re.fullmatch(rf"(?:the )?{forms(axis)}", parts[0], re.I)), None
            )
            return self._by_axis(axis, ()) if axis else None
        categories = [self._mentions.category(part) for part in parts]
        if all(categories):
            return {"what": DataSubject.COMPARISON.value, "by": DataGroup.CATEGORY.value, "between": categories}
        mention = self._mentions.find(named)
        axes = [(axis, values) for axis, values in mention.values.items() if len(values) >= len(parts)]
        if not axes:
            return None
        asked = self._by_axis(axes[0][0], tuple(sorted(axes[0][1], key=lambda value: _place(value, named))))
        return {**asked, "category": mention.category} if mention.category else asked

    def _by_axis(self, axis: str, values: tuple[str, ...]) -> Arguments:
        asked = {"what": DataSubject.COMPARISON.value, "by": DataGroup.ATTRIBUTE.value, "axis": axis}
        return {**asked, "between": list(values)} if values else asked

    def _rank(self, text: str) -> Arguments | None:
        """“What's the worst category”: all of them side by side, the worst first."""
        found = self._phrase("asks_rank").fullmatch(text)
        if found is None:
            return None
        order = DataOrder.LEAST if self._says("asks_worst", text) else DataOrder.MOST
        return {"what": DataSubject.COMPARISON.value, "by": DataGroup.CATEGORY.value, "order": order.value}

    def _cause(self, text: str) -> Arguments | None:
        """“Why is order status empty”, “why are there so few angry ones”."""
        if self._phrase("asks_cause").search(text) is None:
            return None
        of = self._of(text)
        if not of and self._phrase("asks_cause_of_all").search(text) is None:
            return None
        return {"what": DataSubject.CAUSE.value, **of}

    def _length(self, text: str) -> Arguments | None:
        if not self._says("asks_length", text) or self._says("data_wish", text) or self._says("asks_no_length", text):
            return None
        found = self._phrase("length_bound").search(text)
        extreme = self._phrase("length_extreme").search(text)
        if found is None and extreme is None and not self._says("length_opening", text):
            return None
        rest = " ".join(part for part in (text[: found.start()], text[found.end() :]) if part) if found else text
        asked: Arguments = {
            "what": DataSubject.LENGTH.value,
            **self._of(re.sub(r"^how (?:long|short)\b", " ", rest, flags=re.IGNORECASE)),
        }
        if found is not None:
            over = found["over"] is not None
            return {**asked, "over" if over else "under": min(1_000_000, max(0 if over else 1, whole(found["n"])))}
        by = self._phrase("data_by").search(text)
        if by is not None:
            axis = next(
                (axis for axis in self._mentions.axes if re.match(forms(axis), by["what"], re.IGNORECASE)), None
            )
            if axis is not None:
                asked |= {"by": DataGroup.ATTRIBUTE.value, "axis": axis}
            elif self._phrase("data_by_category").match(by["what"]):
                asked |= {"by": DataGroup.CATEGORY.value}
        if extreme is not None:
            most = self._says("length_longest", extreme.group())
            asked["order"] = (DataOrder.MOST if most else DataOrder.LEAST).value
            number = re.search(r"(?<![\w#.-])\d{1,3}(?![\w.%-])", text)
            if "by" not in asked:
                asked["limit"] = min(_MOST_SHOWN, max(1, whole(number.group()))) if number else 1
        return asked

    def _done(self, text: str) -> Arguments | None:
        """“Is order status done”: what is left of it."""
        found = self._phrase("asks_done").fullmatch(text)
        name = self._mentions.category(found["what"] or found["far"]) if found is not None else None
        return {"what": DataSubject.OPEN.value, "category": name} if name is not None else None

    def _covered(self, text: str) -> Arguments | None:
        """“Is German covered”: how many cases have that value."""
        found = self._phrase("asks_covered").fullmatch(text)
        pair = self._mentions.value(found["what"]) if found is not None else None
        return {"what": DataSubject.CASES.value, "attributes": dict([pair])} if pair is not None else None

    def _variety(self, text: str) -> Arguments | None:
        if self._phrase("asks_variety").fullmatch(text) is None:
            return None
        category = self._mentions.find(text).category
        return {"what": DataSubject.VARIETY.value, **({"category": category} if category else {})}


def _place(value: str, text: str) -> int:
    """Where a value stands in a text."""
    found = re.search(forms(value), text, re.IGNORECASE)
    return found.start() if found is not None else len(text)
