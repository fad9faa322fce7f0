"""Other ways to write a list of categories, turned into the ones that the reader of lists knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

_GROUPS = r"(?:groups?|parts?|categor(?:y|ies)|buckets?|sets?|classes|kinds|topics|types|areas|subjects|themes)"
_NAMES = r"(?:categories|topics|groups|kinds|types|areas|subjects|themes|classes|buckets)"
_PHRASE = r"[a-z][\w'-]*(?: [a-z][\w'-]*){0,3}?"
_LOTS = r"(?:lots of|a lot of|plenty of|loads of|tons of|many|most)"
_SOME = r"(?:some|a few|few|a couple of|a handful of)"


def _as_many(found: re.Match[str]) -> str:
    """“Twice as many transfers as cards”: two thirds and one third."""
    times = {"twice": 2, "thrice": 3}.get(found["times"].lower()) or int(re.findall(r"\d+", found["times"])[0])
    larger = Fraction(times, times + 1)
    return f"{larger.numerator}/{larger.denominator} {found['more']}, 1/{times + 1} {found['less']}"


def _lots_and_some(found: re.Match[str]) -> str:
    """“Some refunds and lots of complaints”: mostly complaints."""
    lots, some = (found["lots"], found["some"]) if found["lots"] else (found["lots2"], found["some2"])
    return f"mostly {lots}, {some}"


_REWRITES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), to)
    for pattern, to in (
        # “four categories of 25: refunds, …”
        (rf"\b\d+ (?:different |separate )?{_GROUPS} (?:of|with|at) (?P<n>\d+)(?: cases)?(?: each)?\s*[:,–—-]",
         r": \g<n> each :"),
        (rf"\b(?P<n>\d+) (?P<what>cases |examples |questions )?(?:in|for|of|per) each of (?:these|the following|them)"
         rf"(?: {_GROUPS})?\s*[:–—-]?",
         r"\g<n> \g<what>each : "),
        # “Categories: refunds, returns”, “the topics are refunds and returns”, “categories - bugs 30, style 20”
        (rf"(?:^|(?<=[.,;:\n])) ?(?:and |with )?(?:the |these |my |our |in )?(?:following )?{_NAMES}"
         r"(?: (?:are|should be|will be|being))?\s*[:–—-]+ ",
         " : "),
        (rf"(?:^|(?<=[.,;:\n])) ?(?:the |my |our )?{_NAMES} (?:are|should be|will be) ", " : "),
        (r"\bin equal (?:measures?|proportions?|numbers?|amounts?|shares?|quantit(?:y|ies))\b", " "),
        (r",? ?\b(?:50 ?/ ?50|50-50|fifty[ -]fifty)\b", " "),
        # “an assistant that covers …” and “cases that cover …” begin a list
        (r"\b(?:that|which) (?:should |must |shall )?(?:covers?|includes?|(?:is|are) about|asks? about|deals? with) ", ": "),
        (rf"\b(?P<times>twice|thrice|\d+ ?(?:times|x)) as many (?P<more>{_PHRASE}) as (?P<less>{_PHRASE})(?=\s*(?:[,.;:\n]|$))",
         _as_many),
        (rf"\b(?:{_SOME} (?P<some>{_PHRASE})(?:,| and|, and) {_LOTS} (?P<lots>{_PHRASE})|"
         rf"{_LOTS} (?P<lots2>{_PHRASE})(?:,| and|, and) {_SOME} "
         rf"(?P<some2>{_PHRASE}))(?=\s*(?:[,.;:\n]|$))", _lots_and_some),
        # “refunds / shipping / returns”
        (r"(?<=[a-z]) / (?=[a-z])", ", "),
    )
)  # fmt: skip
# “10 refunds 10 returns”: nothing but counts, each with a name of one or two words.
_COUNTED_NAMES = re.compile(
    r"\s*(?:\d+ [a-z][\w'-]+(?: (?!in\b|of\b|for\b|and\b|with\b)[a-z][\w'-]+)?(?: |$)){2,}\W*", re.IGNORECASE
)


def plain_list(said: str) -> str:
    """A message, with its number words in digits, whose lists are written the way that ``read_request`` reads them."""
    for pattern, to in _REWRITES:
        said = pattern.sub(to, said)
    return re.sub(r"(?<=\w) (?=\d)", ", ", said) if _COUNTED_NAMES.fullmatch(said) else said
