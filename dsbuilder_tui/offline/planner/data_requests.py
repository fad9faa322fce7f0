"""Questions about the session's data, as a person asks them: from a clause to the arguments of ``ask_data``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.data_question import CaseMark, DataGroup, DataOrder, DataSubject
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.offline.planner.counts import whole
from dsbuilder_tui.offline.planner.intent_table import IntentTable, intent_table
from dsbuilder_tui.offline.planner.measure_requests import MeasureRequests
from dsbuilder_tui.offline.planner.naming import forms, slug
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

Arguments = dict[str, Any]

# The first whose words are found is what is asked about; what none names are the cases.
_SUBJECTS = (
    DataSubject.EXHAUSTED, DataSubject.EXPECTATIONS, DataSubject.REJECTED, DataSubject.REPEATS, DataSubject.MODELS,
    DataSubject.COST, DataSubject.CHECKPOINTS, DataSubject.CALLS, DataSubject.TIME, DataSubject.COVERAGE, DataSubject.OPEN,
)  # fmt: skip
_SPLIT = {
    DataSubject.CASES: tuple(DataGroup),
    DataSubject.COVERAGE: (DataGroup.ATTRIBUTE, DataGroup.CATEGORY),
    DataSubject.REJECTED: (DataGroup.CATEGORY, DataGroup.STAGE),
    DataSubject.OPEN: (DataGroup.CATEGORY,),
    DataSubject.EXHAUSTED: (DataGroup.CATEGORY,),
    DataSubject.COST: (DataGroup.CATEGORY, DataGroup.MODEL),
    DataSubject.TIME: (DataGroup.CATEGORY,),
}
_OF_CATEGORY = frozenset(DataSubject) - {DataSubject.CASE, DataSubject.MODELS, DataSubject.CHECKPOINTS}
_MOST_SHOWN = 20
_MOST_UNKNOWN = 2  # words that name nothing of the plan, and are looked for in the cases


class DataRequests:
    """Reads clauses against a plan with these categories and axes."""

    def __init__(self, heard: Utterance, names: Sequence[str], axes: Mapping[str, Sequence[str]]) -> None:
        self._heard, self._names, self._axes = heard, names, axes
        self._mentions = PlanMentions(names, axes)
        self._measures = MeasureRequests(self._mentions)
        self._table: IntentTable = intent_table()

    def read(self, text: str) -> Arguments | None:
        """What a clause asks of the data; None when it asks nothing of it."""
        text = self._table.phrase("data_courtesy").sub("", text)
        if (case := self._case(text)) is not None:
            return {"what": DataSubject.CASE.value, "case": case}
        if (batch := self._table.phrase("data_batch").fullmatch(text)) is not None:
            return {"what": DataSubject.CALLS.value, "batch": max(1, whole(batch["n"] or batch["m"]))}
        if (measured := self._measures.read(text)) is not None:
            return measured
        if (ends := self._ends(text)) is not None:
            return ends
        opening = self._table.phrase("data_opening").search(text)
        if opening is None or self._says("data_wish", text):
            return None
        rest, found = self._filters(text, opening.end() if opening.end() < len(text) else 0)
        if self._says("asks_checks", text):  # “which cases failed their checks” is of candidates, not of calls
            return {"what": DataSubject.REJECTED.value, **_only(found, "category"), "stage": Stage.VALIDATORS.value}
        named = [one for one in _SUBJECTS if self._says(f"data_{one.value}", rest)]
        if "text" in found and named and named[0] is not DataSubject.REJECTED:
            named = []  # the words that are looked for may be any
        subject = named[0] if named else DataSubject.CASES
        order = self._order(text)
        if subject is DataSubject.OPEN and (by := self._group(DataSubject.COVERAGE, text)) and "axis" in by:
            return {"what": DataSubject.COVERAGE.value, **by, "order": DataOrder.LEAST.value}  # “which tone is missing”
        if subject in (DataSubject.OPEN, DataSubject.EXHAUSTED) and re.match(
            r"(?:what|which|show|list|tell)\b", text, re.I
        ):
            return None  # “what is left” asks for where things stand, “which are exhausted” for reasons
        if subject is DataSubject.REJECTED and self._is_asked_why(text, order):
            return None
        if self._says("data_shown", text) and not self._says("data_amount", text):
            if subject is DataSubject.CASES:
                return self._shown(text, found, order)
            if order is DataOrder.PLAN and subject is not DataSubject.CALLS and not self._group(subject, text):
                return None
        if subject is DataSubject.CASES:
            return self._counted(text, rest, found, order)
        return self._asked(subject, order, text, found)

    def names_part(self, text: str) -> bool:
        """Whether a text names a category or a value: a part of the cases."""
        named = self._mentions.find(text)
        return bool(named.category or named.values)

    def _is_asked_why(self, text: str, order: DataOrder) -> bool:
        """Whether a question about rejections is for their reasons, which another tool tells with examples."""
        listed = (
            self._says("data_shown", text)
            and order is not DataOrder.NEWEST
            and not self._group(DataSubject.REJECTED, text)
        )
        return listed or self._says("data_why", text)

    def _says(self, phrase: str, text: str) -> bool:
        return self._table.phrase(phrase).search(text) is not None

    def _case(self, text: str) -> str | None:
        """The case that a clause wants to see: ``#143``, ``143`` of the list, or an id."""
        found = self._table.phrase("data_case").fullmatch(text)
        if found is None:
            return None
        case = found["case"] or found["written"] or found["judged"]
        if case == "1" and found["verb"]:
            return None  # “let me read one” is about any
        if case.isdigit() and (
            not (found["written"] or found["judged"] or found["verb"]) or self._says("data_counts", text)
        ):
            return None  # “show me 12” asks for so many
        return self._mentions.case(case, bare=found["case"] != text)

    def _ends(self, text: str) -> Arguments | None:
        """“Read me the last one”, “show me the first 3 refunds”: the newest or the oldest cases themselves."""
        found = self._table.phrase("data_ends").fullmatch(text)
        if found is None:
            return None
        end = found["end"] or found["late"]
        newest = self._says("data_newest", end)
        named = self._mentions.find(found["what"] or "")
        if self._table.phrase("data_filler").sub(" ", named.rest).strip():
            return None
        if not (found["verb"] or found["n"] or found["what"] or found["late"]) or len(named.alone) < len(named.values):
            return None
        if newest and found["n"] and not named.values and self._says("data_shown", text):
            return None  # the list of cases, the newest first, is asked of another tool
        asked: Arguments = {"what": DataSubject.CASES.value}
        asked |= {"category": named.category} if named.category else {}
        asked |= {"attributes": named.alone} if named.alone else {}
        order = DataOrder.NEWEST if newest else DataOrder.OLDEST
        limit = min(_MOST_SHOWN, max(1, whole(found["n"]))) if found["n"] else 1
        return {**asked, "order": order.value, "limit": limit}

    def _order(self, text: str) -> DataOrder:
        for order in (DataOrder.NEWEST, DataOrder.MOST, DataOrder.LEAST):
            if self._says(f"data_{order.value}", text):
                return order
        return DataOrder.PLAN

    def _group(self, subject: DataSubject, text: str) -> Arguments:
        """What the counts are to be split by: “which category”, “by tone”, “per stage”."""
        for found in self._table.phrase("data_by").finditer(text):
            told = found["what"].strip()
            axis = next((axis for axis in self._axes if re.match(forms(axis), told, re.IGNORECASE)), None)
            if axis is not None and DataGroup.ATTRIBUTE in _SPLIT.get(subject, ()):
                return {"by": DataGroup.ATTRIBUTE.value, "axis": axis}
            for group in _SPLIT.get(subject, ()):
                if group is not DataGroup.ATTRIBUTE and self._table.phrase(f"data_by_{group.value}").match(told):
                    return {"by": group.value}
        superlative = self._order(text) in (DataOrder.MOST, DataOrder.LEAST)
        if superlative and (found_group := self._table.phrase("data_superlative").search(text)) is not None:
            return self._group(subject, f"by {found_group['what']}")
        return {}

    def _filters(self, text: str, start: int) -> tuple[str, Arguments]:
        """What is left of a clause without the category, the values and the marks that it names behind ``start``, and these."""
        found: Arguments = {}
        head, text = text[:start], text[start:]

        def take(pattern: re.Pattern[str] | str) -> re.Match[str] | None:
            nonlocal text
            at = re.compile(pattern, re.IGNORECASE).search(text)
            if at is not None:
                text = f"{text[: at.start()]} {text[at.end() :]}"
            return at

        phrase = self._table.phrase
        if not self._says("data_repeats", text) and (at := phrase("data_text").search(text)) is not None:
            words = " ".join(self._heard.full(at["words"]).split()).strip(" .?!\"'“”«»`")
            words = phrase("data_text_end").sub("", words)
            if words and not (self._mentions.category(words) or self._mentions.value(words)):
                found["text"], text = words[:200], text[: at.start()]
        for name in sorted(self._names, key=len, reverse=True):
            if take(forms(name)) is not None:
                found["category"] = name
                break
        values = [(axis, value) for axis, known in self._axes.items() for value in known if slug(value)]
        taken: dict[str, list[str]] = {}
        for axis, value in sorted(values, key=lambda pair: -len(pair[1])):
            if take(f"{forms(value)}(?! of)") is not None:
                taken.setdefault(axis, []).append(value)
        both = next((axis for axis, named in taken.items() if len(named) > 1), None)
        if both is not None:  # “angry or polite”: both of them, beside the others
            found |= {"by": DataGroup.ATTRIBUTE.value, "axis": both}
        if alone := {axis: named[0] for axis, named in taken.items() if axis != both}:
            found["attributes"] = alone
        kinds = (CaseKind.CONVERSATION, CaseKind.SCENARIO)
        for key, known in (("mark", CaseMark), ("verdict", Judgement), ("kind", kinds)):
            said = next((one.value for one in known if phrase(f"data_{one.value}").search(text)), None)
            if said is not None:
                found[key] = said
                take(phrase(f"data_{said}").pattern)
        return " ".join(f"{head} {text}".split()), found

    def _asked(self, subject: DataSubject, order: DataOrder, text: str, found: Arguments) -> Arguments:
        """A question about anything but cases. A value that is named narrows nothing there."""
        asked: Arguments = {"what": subject.value}
        if "category" in found and subject in _OF_CATEGORY:
            asked["category"] = found["category"]
        by = self._group(subject, text)
        if subject is DataSubject.COVERAGE and not by and found.get("attributes"):
            by = {"by": DataGroup.ATTRIBUTE.value, "axis": next(iter(found["attributes"]))}
        if subject in (DataSubject.TIME, DataSubject.COST) and order in (DataOrder.MOST, DataOrder.LEAST) and not by:
            by = {"by": DataGroup.CATEGORY.value}
        asked |= by
        if subject is DataSubject.REJECTED and "text" in found:
            asked["text"] = found["text"]
        if subject is DataSubject.REJECTED and (stage := self._table.phrase("data_stage").search(text)) and not by:
            asked["stage"] = stage[1].lower()
        if order is not DataOrder.PLAN and (order is not DataOrder.NEWEST or subject is DataSubject.REJECTED):
            asked["order"] = order.value
        if order is DataOrder.NEWEST and subject is DataSubject.REJECTED:
            asked["limit"] = self._limit(text, 1)
        return asked

    def _counted(self, text: str, rest: str, found: Arguments, order: DataOrder) -> Arguments | None:
        """“How many are angry”, “which tone is rarest”, “how many cases are there”; None for what names nothing of ours."""
        asked: Arguments = {"what": DataSubject.CASES.value, **found, **self._group(DataSubject.CASES, text)}
        if order is DataOrder.NEWEST:
            newest = re.search(r"\bcases?\b", rest, re.IGNORECASE) is not None or found.keys() - {"text"}
            return {**_without_split(asked), "order": order.value, "limit": self._limit(text, 1)} if newest else None
        if order is not DataOrder.PLAN and "by" in asked:
            asked["order"] = order.value
        if not self._says("data_amount", text):
            if "by" in asked:
                return asked
            listed = self._says("data_which", text) and found.keys() & {"text", "attributes", "mark", "verdict", "kind"}
            return self._shown(text, found, order) if listed else None
        if asked.keys() & {"by", "attributes", "mark", "verdict", "kind", "text"}:
            return asked
        words = self._heard.full(self._table.phrase("data_filler").sub(" ", rest))
        unknown = " ".join(re.sub(r"[^\w'-]+", " ", words).split())
        if not unknown:
            return asked
        return {**asked, "text": unknown} if len(unknown.split()) <= _MOST_UNKNOWN and "%" not in words else None

    def _shown(self, text: str, found: Arguments, order: DataOrder) -> Arguments | None:
        """“Show me the angry ones”: the cases themselves. What names no more than a category is asked of the list."""
        if group := self._group(DataSubject.CASES, text):
            return {"what": DataSubject.CASES.value, **found, **group}
        if not (found.keys() & {"attributes", "mark", "verdict", "kind", "text"}):
            return None
        return {
            "what": DataSubject.CASES.value,
            **_without_split(found),
            "order": DataOrder.NEWEST.value,
            "limit": self._limit(text, 1 if self._says("data_single", text) else 5),
        }

    def _limit(self, text: str, otherwise: int) -> int:
        number = re.search(r"(?<![\w#.-])\d{1,9}(?![\w.%-])", re.sub(MASK, "", text))
        return min(_MOST_SHOWN, max(1, int(number.group()))) if number is not None else otherwise


def _only(found: Arguments, name: str) -> Arguments:
    return {name: found[name]} if name in found else {}


def _without_split(asked: Arguments) -> Arguments:
    return {key: value for key, value in asked.items() if key not in ("by", "axis")}
