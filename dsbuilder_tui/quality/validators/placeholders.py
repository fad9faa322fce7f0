"""The validator of placeholders: a case is whole, and has no `[order number]` that somebody was to fill in."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import ValueRole, WrittenValue

_NOUN = (
    r"(?:number|no|id|name|date|amount|address|e-?mail|phone|product|item|city|company|account|reference|code|reason|location|"
    r"link|url|price|time|day|month|year|model|brand|destination|airport|hotel|placeholder|order|customer)"
)
_SHORT_NOUN = (
    r"(?:name|number|date|amount|address|e-?mail|phone|company|city|product|placeholder|id|order[ _-]?id|destination|airport|"
    r"location|price|brand|hotel)"
)
_PHRASE = (
    rf"(?:(?:your|insert|enter|specify|fill)[ _-][\w _-]{{2,40}}"
    rf"|(?!(?:sent|my|this|that|an?|no|in|see|to|on)\b)(?:[^\W_]{{1,30}}[ _-]){{1,3}}{_NOUN}|{_SHORT_NOUN})"
)
_LABEL = (
    r"(?!\s*(?:label|text|title|header|line|field|button|column|box|tab|menu|placeholder|tag|variable|element|node|key|section|"
    r"option|link)\b)"
)
_NOT_IN_CODE = r"(?<![\w$/\\=&.`\"'“‘{\[(<])"
# What a number or a name comes behind.
_NUMBER_OF = (
    r"(?i:\b(?:order|number|id|no\.?|ticket|invoice|account|reference|code|booking|reservation|flight|phone|date|name|amount|"
    r"claim|policy|[$€£])\s?(?:number|no\.?|id|code)?\s?(?:is|was|:|#|of)?\s?#?)"
)
# Texts that are about gaps and formats.
_ABOUT_GAPS = re.compile(
    r"\b(?:fill|blank|gap|complete|missing word|cloze|format\w*|convert\w*|pars\w+|regex|template|mask\w*)\b",
    re.IGNORECASE,
)
_GAPS = ("XX", "###", "__", "YYYY", "here")
# By the mark that begins it, so that a text without the mark is not searched.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[", re.compile(rf"{_NOT_IN_CODE}\[{_PHRASE}\](?![(\w\[]){_LABEL}", re.IGNORECASE)),
    ("{", re.compile(
        rf"(?<![\w$/\\=.`\"'“‘}}])"
        rf"{{{{1,2}}\s?(?:{_PHRASE}|{_NOUN}|[a-z]+_[a-z_]+)\s?}}{{1,2}}(?!}}){_LABEL}", re.IGNORECASE)),
    ("<", re.compile(rf"{_NOT_IN_CODE}<{_PHRASE}>{_LABEL}", re.IGNORECASE)),
    (
        "XXX",
        re.compile(
            rf"(?:#\s?|{_NUMBER_OF}|\b[A-Z]{{2,5}}-)(?:[A-Z\d]{{1,8}}-)?X{{3,}}+(?!-*\w)|[$€£]\s?X{{2,}}+(?:[.,]XX)?(?![\w-])"
        ),
    ),
    ("XX", re.compile(r"[$€£]\s?X{1,3}[.,]?XX(?![\w-])")),
    ("###", re.compile(rf"{_NUMBER_OF}#{{3,}}+(?![ \t]*[^\W\d_])")),
    ("__", re.compile(
        rf"(?:{_NUMBER_OF}|\b(?i:dear|hi|hello|hey|i am|i'm|from|to|on|in|for|at)\s)_{{2,}}+(?![\w\[(])")),
    ("_", re.compile(
        rf"{_NUMBER_OF}(?:YOUR|INSERT|ORDER|CUSTOMER|PRODUCT|USER|ACCOUNT|BOOKING|COMPANY|CITY)_[A-Z_]{{2,}}\b")),
    ("0000", re.compile(
        r"(?i:\b(?:order|booking|ticket|invoice|customer|account|reference|claim|reservation)\s?(?:number|no\.?|id)?\s?"
        r"(?:is|was|:|#)?\s?#?)0{4,}+(?![.,-]*\w)")),
    ("YYYY", re.compile(r"\b(?:on|since|by|until|arrived|dated)\s(?:MM[/.\-]DD|DD[/.\-]MM|YYYY-MM)[/.\-](?:YYYY|DD)\b")),
    ("here", re.compile(rf"\b(?:insert|fill in|enter|add)\s(?:your\s|the\s)?(?:\w+\s){{0,2}}{_SHORT_NOUN}\shere\b(?!\s+\w)",
                        re.IGNORECASE)),
    ("orem ipsum", re.compile(r"lorem ipsum dolor", re.IGNORECASE)),
)  # fmt: skip
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|</\w|\bdef \w+\(|\bfunction \w*\(|=>|[;{]\s*\n|\bf[\"']", re.DOTALL)
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|“[^“”]*”|‘[^‘’]*’|«[^«»]*»")


def _placeholder(text: str, kinds: tuple[tuple[str, re.Pattern[str]], ...]) -> str | None:
    quoted: list[tuple[int, int]] | None = None
    for mark, pattern in kinds:
        if mark not in text or (mark in _GAPS and _ABOUT_GAPS.search(text)):
            continue
        at = 0  # of the quotes: both come in the order of the text
        for found in pattern.finditer(text):
            if quoted is None:
                if _CODE.search(text):
                    return None
                quoted = [quote.span() for quote in _QUOTED.finditer(text)]
            while at < len(quoted) and quoted[at][1] <= found.end():
                at += 1
            if at == len(quoted) or quoted[at][0] >= found.start():
                return found.group().strip()
    return None


# The whole of a tool's argument that nobody has filled in.
_UNFILLED = re.compile(r"tbd|tba|placeholder|\.{3}|…|[x?_]{2,}|<[^<>\d]*>|\[[a-z _]+\]|your_\w+", re.IGNORECASE)


def _is_unfilled(value: WrittenValue) -> bool:
    text = value.text.strip()
    return value.role is ValueRole.ARGUMENT and (bool(_UNFILLED.fullmatch(text)) or ("_" in text and text == value.key))


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: None) -> Check:
    own = "\n".join((*map(display_text, plan.examples(category)), category.description, str(category.expectations)))
    kinds = tuple((mark, pattern) for mark, pattern in _KINDS if not pattern.search(own))

    def check(case: CheckedCase) -> str | None:
        if found := _placeholder(case.text, kinds):
            return f"{found} in the input is a placeholder; write what a person would have written there"
        for value in case.written:
            found = value.text.strip() if _is_unfilled(value) else None
            if value.role is not ValueRole.GUIDELINE and (found := found or _placeholder(value.text, kinds)):
                return f"{found} in {value.where} is a placeholder; write the value itself, or leave it out"
        return None

    return check


VALIDATOR = Validator(words="no placeholders, unless the plan's own examples have them", prepare=_prepare)
