"""The validator of identifiers: an order number that an expectation names stands in the input or its source."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import (
    ValueRole,
    WrittenValue,
    has_id,
    is_spelled_out,
    plan_words,
)

# A `number` alone may be any number.
_KEY = re.compile(r"(?:^|_)(?:id|ref|reference|ticket|invoice|tracking)s?$|_(?:number|no|nr)s?$", re.IGNORECASE)
_CAMEL_KEY = re.compile(r"[a-z](?:Id|ID|Number|Ref|Reference)$")
# A value that can be no date, word or amount: three digits at least, no space, no point of a number.
_WHOLE = re.compile(r"#?(?=(?:[\w\-/]*?\d){3})[A-Za-z\d](?:[\w\-/]*[A-Za-z\d])?")
_LONGEST = 100  # characters of an identifier
_MOST = 100  # identifiers of one case that are looked at; each is sought in all of the ground
_DIGITS = re.compile(r"\d{3}|\d-\d")
_DATE = re.compile(r"\d{4}-\d{1,2}(?:-\d{1,2})?(?:T[\d:]+)?|\d{1,2}/\d{1,2}/\d{2,4}")
_NAMED = re.compile(
    r"(?:\b(?:order|ticket|invoice|booking|reservation|reference|tracking|shipment|claim|case)"
    r"(?:[ ](?:number|no\.?|id|code))?[ ]?#?[: ]?[ ]?|#)"
    r"(?P<id>(?=[\w\-]{0,60}\d{3})[A-Z\d][A-Z\d\-]{0,60}+)(?![\d_\-]*+[^\W\d_])(?!\d)",
    re.IGNORECASE,
)


def _ids(value: WrittenValue) -> list[str]:
    if value.role in (ValueRole.ARGUMENT, ValueRole.ENTRY):
        text = value.text.strip()
        if len(text) > _LONGEST:
            return []
        named = _KEY.search(value.key) or _CAMEL_KEY.search(value.key) or text.startswith("#")
        return [text.lstrip("#")] if named and _WHOLE.fullmatch(text) and not _DATE.fullmatch(text) else []
    if not _DIGITS.search(value.text):
        return []
    return [found["id"] for found in _NAMED.finditer(value.text) if not _DATE.fullmatch(found["id"])]


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: None) -> Check:
    words = plan_words(category, plan)

    def check(case: CheckedCase) -> str | None:
        ground = ""
        seen: set[str] = set()
        for value in case.written:
            for identifier in _ids(value):
                if identifier in seen or len(seen) == _MOST:
                    continue
                seen.add(identifier)
                ground = ground or case.ground(words)
                if not has_id(ground, identifier) and not is_spelled_out(case.whole):
                    return (
                        f"{value.where} names {identifier}, which is not in the input; "
                        "use the one that the input names, or leave it out"
                    )
        return None

    return check


VALIDATOR = Validator(words="identifiers of the expectation stand in the input or its source", prepare=_prepare)
