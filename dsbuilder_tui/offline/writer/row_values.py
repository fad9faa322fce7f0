"""Values of a row in a text of the built-in writer: in place of an example's own values, and of fields in braces."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.conversation import MESSAGES
from dsbuilder_tui.domain.row_axis import SourceRow
from dsbuilder_tui.offline.writer.languages import ENGLISH
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory
from dsbuilder_tui.offline.writer.values import shown_braces

_LONGEST = 200  # characters of a value that a sentence can take
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_FIELD = re.compile(r"\{([^{}\n]{1,200})\}")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LOOKS = {  # of values whose field is called something else
    "date": re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}"),
    "email": re.compile(r"[\w.+-]{1,64}@[\w.-]{1,190}"),
}
_WORD = re.compile(r"[a-z]+|\d+")
# What a field is called whose value can stand for a kind of placeholder; the first that fits is taken.
_NAMES: dict[str, tuple[str, ...]] = {
    "product": ("product", "name", "title", "item", "label", "model", "subject"),
    "id": (
        "id", "sku", "number", "no", "nr", "code", "order", "invoice", "ticket", "booking", "account", "reference", "ref",
    ),
    "money": ("price", "amount", "cost", "total", "sum", "fee", "balance", "value"),
    "date": ("date", "day", "due", "since", "until"),
    "email": ("email", "mail"),
    "city": ("city", "town", "destination", "place"),
    "company": ("company", "vendor", "supplier", "brand", "customer"),
    "name": ("customer", "client", "person", "user"),
}  # fmt: skip
_KINDS = {**{kind: kind for kind in _NAMES}, "amount": "money"}
_WEAK = frozenset({"number", "no", "nr", "code"})  # of what? only where the rest of the name is that of an id
_LABELS = ("name", "title", "product", "item", "label", "model", "subject", "question", "id", "sku", "code", "number")


def takes_values(known: StudiedCategory) -> bool:
    """Whether something of a row can be seen in what is made of the category's examples."""
    templates = [example.template for example in known.examples]
    return known.language == ENGLISH or any(
        shown_braces(template) != template or any(found[1] in _KINDS for found in _PLACEHOLDER.finditer(template))
        for template in templates
    )


class RowValues:
    """What of a row can be put into a text."""

    def __init__(self, row: SourceRow | None) -> None:
        self._row = row
        self._texts = {name: text for name, value in (row.fields if row else {}).items() if (text := _plain(value))}
        self._folded = {name.casefold(): text for name, text in self._texts.items()}

    def over(self, values: Mapping[str, str]) -> dict[str, str]:
        """Values of placeholders, with those of the row where it has one of the kind."""
        chosen = dict(values)
        for placeholder in values:
            found = _PLACEHOLDER.fullmatch(placeholder)
            if found is not None and (text := self._of_kind(found[1], found[2] or "")):
                chosen[placeholder] = text
        return chosen

    def put_into(self, case: dict[str, Any], field: str, *, english: bool) -> dict[str, Any]:
        """A case with the fields that stand in braces filled; in English one that shows nothing of the row names it."""
        if self._row is None:
            return case
        inputs, expectations = self._filled(case["inputs"]), self._filled(case["expectations"])
        label = self._label()
        if english and label and not self._is_shown(inputs):
            inputs = _named(inputs, field, label)
        return {**case, "inputs": inputs, "expectations": expectations}

    def _of_kind(self, kind: str, original: str) -> str:
        kind = _KINDS.get(kind, "")
        for wanted in _NAMES.get(kind, ()):
            for name, text in self._texts.items():
                if _is_called(name, wanted) and _fits(kind, text):
                    return _as_written(original, text)
        looks = _LOOKS.get(kind)
        return next((text for text in self._texts.values() if looks and looks.fullmatch(text)), "")

    def _label(self) -> str:
        for wanted in _LABELS:
            for name, text in self._texts.items():
                if _is_called(name, wanted):
                    return text
        return next(iter(self._texts.values()), "")

    def _is_shown(self, inputs: Any) -> bool:
        said = json.dumps(inputs, ensure_ascii=False, default=str).casefold()
        shown = (json.dumps(text, ensure_ascii=False)[1:-1].casefold() for text in self._texts.values())
        return any(len(text) > 1 and text in said for text in shown)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return _FIELD.sub(lambda found: self._folded.get(found[1].strip().casefold(), found[0]), value)
        if isinstance(value, dict):
            return {name: self._filled(inner) for name, inner in value.items()}
        return [self._filled(inner) for inner in value] if isinstance(value, list) else value


def _plain(value: Any) -> str:
    """A value as it can stand in a sentence; empty for what cannot."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else ""


def _is_called(name: str, wanted: str) -> bool:
    words = _WORD.findall(name.casefold())
    return wanted in words and (wanted not in _WEAK or set(words) <= {*_NAMES["id"]})


def _fits(kind: str, text: str) -> bool:
    if kind in ("money", "date"):
        return _NUMBER.search(text) is not None
    if kind == "email":
        return "@" in text
    return kind != "id" or " " not in text


def _as_written(original: str, text: str) -> str:
    """The text with what is around the number in the original: a bare 24.99 in place of $49 is $24.99, 17 of #12345 #17."""
    found = _NUMBER.search(original)
    if found is None or not _NUMBER.fullmatch(text):
        return text
    around = original[: found.start()], original[found.end() :]
    return text if any(c.isalnum() for c in around[0]) else f"{around[0]}{text}{around[1]}"


def _named(inputs: dict[str, Any], field: str, label: str) -> dict[str, Any]:
    said = inputs.get(field)
    if field == MESSAGES and isinstance(said, list) and said and isinstance(said[-1], dict):
        last = {**said[-1], "content": _with_sentence(str(said[-1].get("content", "")), label)}
        return {**inputs, field: [*said[:-1], last]}
    return {**inputs, field: _with_sentence(said, label)} if isinstance(said, str) else inputs


def _with_sentence(text: str, label: str) -> str:
    ended = text if text[-1:] in '.!?…”"' else f"{text}."
    return f"{ended} It's about {label}{'' if label[-1:] in '.!?' else '.'}"
