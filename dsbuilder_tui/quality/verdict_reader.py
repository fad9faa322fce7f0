"""A judge's answer, read: which verdicts in it are of use, and why the others are not.

Nothing is guessed. A verdict counts when it names a case that was asked about, answers every question with yes or no, says
why where one is no, and quotes the case it is about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.embedded_json import embedded_values
from dsbuilder_tui.domain.judging import Judgement, Verdict
from dsbuilder_tui.domain.rubric import Rubric, criterion_name
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.quality.judge_prompt import PresentedCase

_MOST_REASON, _MOST_QUOTE = 400, 300
_MOST_TRIES = 512
_YES = {"yes", "y", "true", "pass", "passed", "1"}
_NO = {"no", "n", "false", "fail", "failed", "0"}
# Words for a verdict as a whole, which a judge was not asked for; one that says otherwise than its answers is no verdict.
_OVERALL = ("good", "verdict", "overall", "pass", "passed", "ok", "result", "finding")
_GOOD_WORDS, _BAD_WORDS = _YES | {"good", "accept", "accepted", "ok"}, _NO | {"bad", "reject", "rejected"}
_NUMBER_KEYS = ("case", "case_number", "number", "case_id", "id", "index")
_NUMBER = re.compile(r"\s*+(?:case)?\s*+#?\s*+(\d{1,6})\s*+[.):]?\s*+", re.IGNORECASE)
_NOBODY = -1  # the number of a verdict that names a case, and none that there can be
_OPENER = re.compile(r'\{(?=\s*["\'}])|\[(?=\s*[\[{])')
_NOT_A_LETTER = re.compile(r"[\W_]+")


class NoVerdict(StrEnum):
    """Why there is no verdict on a case that can be used. The values are shown to people."""

    MISSING = "the judge gave no verdict on it"
    CONTRADICTS = "the judge contradicted itself"
    INCOMPLETE = "the judge left questions unanswered"
    NO_REASON = "the judge said no without a reason"
    FOREIGN_QUOTE = "the judge quoted what does not stand in the case"
    NO_ANSWER = "the judge's answer held no verdict"
    CUT_OFF = "the judge's answer was cut off"
    REFUSED = "the judge refused"
    TOO_LARGE = "the case does not fit the judge's context"
    CANCELLED = "a person cut the judge's call off"


@dataclass(frozen=True, slots=True)
class ReadVerdicts:
    """What an answer comes to: a verdict for each case, in order, or why there is none. ``unknown`` counts verdicts on
    cases that were not asked about."""

    verdicts: tuple[Verdict | NoVerdict, ...]
    unknown: int = 0

    @property
    def usable(self) -> int:
        return sum(isinstance(one, Verdict) for one in self.verdicts)


def read_verdicts(texts: Sequence[str], cases: Sequence[PresentedCase], rubric: Rubric, model: str) -> ReadVerdicts:
    """Read an answer about some cases, which were numbered from 1.

    ``texts`` are where it may stand, the likeliest first: the answer without the model's thoughts, and the thoughts, where
    some servers put all that comes. The first that holds a verdict counts, and of several documents in it the last.
    """
    names = {criterion.name for criterion in rubric.criteria}
    found: list[tuple[int | None, Mapping[str, Any]]] = []
    for text in texts:
        for document, _, _ in embedded_values(text, _OPENER, _MOST_TRIES):
            said = list(_verdicts_in(document, names))
            again = len(said) > 1 and not {number for number, _ in said}.isdisjoint(number for number, _ in found)
            found = said if again else [*found, *said]
        if found:
            break
    named = [number for number, _ in found]
    # Some count from 0: only when all of them say so.
    from_zero = 0 in named and all(number is None or 0 <= number < len(cases) for number in named)
    by_case: dict[int, list[Mapping[str, Any]]] = {}
    unknown = 0
    for place, (number, raw) in enumerate(found, 1):
        # Where no verdict says its number, and there are as many as cases, they are in order.
        if number is None and len(found) == len(cases) and all(each is None for each, _ in found):
            number = place
        elif number is not None:
            number += from_zero
        if number is None or not 1 <= number <= len(cases):
            unknown += 1
        else:
            by_case.setdefault(number, []).append(raw)
    if not found:
        return ReadVerdicts(tuple(NoVerdict.NO_ANSWER for _ in cases))
    read = tuple(
        _agreed([_verdict(raw, case, rubric, model) for raw in by_case.get(number, ())])
        for number, case in enumerate(cases, 1)
    )
    return ReadVerdicts(read, unknown)


def _agreed(read: list[Verdict | NoVerdict]) -> Verdict | NoVerdict:
    """The one verdict on a case; several have to say the same."""
    if not read:
        return NoVerdict.MISSING
    first = read[0]
    if isinstance(first, NoVerdict) or len(read) == 1:
        return first
    same = all(isinstance(one, Verdict) and one.failed == first.failed for one in read)
    return first if same else NoVerdict.CONTRADICTS


def _verdict(raw: Mapping[str, Any], case: PresentedCase, rubric: Rubric, model: str) -> Verdict | NoVerdict:
    said = {criterion_name(str(key)): value for key, value in raw.items()}
    reason, quote = _text(said.get("reason"), _MOST_REASON), _text(said.get("quote"), _MOST_QUOTE)
    failed = []
    for criterion in rubric.criteria:
        value = said.get(criterion.name)
        if isinstance(value, Mapping):  # an answer with a reason and a quote of its own
            own = {criterion_name(str(key)): inner for key, inner in value.items()}
            value = next((own[key] for key in ("answer", "value", "verdict", "yes", "pass") if key in own), None)
            if _yes(value) is False:
                reason = reason or _text(own.get("reason"), _MOST_REASON)
                quote = quote or _text(own.get("quote"), _MOST_QUOTE)
        answer = _yes(value)
        if answer is None:
            return NoVerdict.INCOMPLETE
        if not answer:
            failed.append(criterion.name)
    overall = [_overall(said[key]) for key in _OVERALL if key in said and key not in _names(rubric)]
    if any(good is bool(failed) for good in overall):
        return NoVerdict.CONTRADICTS
    if not failed:
        return Verdict(Judgement.GOOD, reason=reason, model=model)
    if not reason:
        return NoVerdict.NO_REASON
    if quote and _plain(quote) not in _plain(case.text()):
        return NoVerdict.FOREIGN_QUOTE
    return Verdict(Judgement.BAD, reason=reason, quote=quote, failed=tuple(failed), model=model)


def _names(rubric: Rubric) -> set[str]:
    return {criterion.name for criterion in rubric.criteria}


def _yes(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().strip(".!").casefold() if isinstance(value, str | int) else ""
    return True if word in _YES else False if word in _NO else None


def _overall(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().strip(".!").casefold() if isinstance(value, str) else ""
    return True if word in _GOOD_WORDS else False if word in _BAD_WORDS else None


def _text(value: Any, most: int) -> str:
    text = " ".join(whole_characters(value).split()) if isinstance(value, str) else ""
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(text: str) -> str:
    """A text without what typography, case and white space make of it."""
    return _NOT_A_LETTER.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _verdicts_in(value: Any, names: set[str], depth: int = 0) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    """The objects in a document that are verdicts, each with the number that it names; ``{"1": {…}}`` names it, too."""
    if depth > 6:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _verdicts_in(inner, names, depth + 1)
    elif isinstance(value, Mapping):
        keys = {criterion_name(str(key)) for key in value}
        if keys & names and not ("properties" in keys or "type" in keys):
            yield _number(value), value
            return
        for key, inner in value.items():
            for number, raw in _verdicts_in(inner, names, depth + 1):
                named = _NUMBER.fullmatch(str(key)) if number is None else None
                yield (int(named[1]) if named else number), raw


def _number(raw: Mapping[str, Any]) -> int | None:
    for key, value in raw.items():
        if criterion_name(str(key)) in _NUMBER_KEYS:
            if isinstance(value, bool):
                return None
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            named = _NUMBER.fullmatch(str(value))
            return int(named[1]) if named else _NOBODY
    return None
