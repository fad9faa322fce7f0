"""Personal data in a text, as a finding tells it: the kind, and the value partly covered."""

from __future__ import annotations

from collections.abc import Iterator

from dsbuilder_tui.quality.personal_data import PersonalDataKind, certain_data

_ARTICLES = {PersonalDataKind.EMAIL: "an", PersonalDataKind.IBAN: "an", PersonalDataKind.IP: "an"}


def personal_data(text: str) -> Iterator[str]:
    """The kinds of what is surely personal in a text, each once, with the first value partly covered."""
    told = set[PersonalDataKind]()
    for found in certain_data(text):
        if found.kind not in told:
            told.add(found.kind)
            yield f"{_ARTICLES.get(found.kind, 'a')} {found.kind} ({_covered(text[found.start : found.end])})"


def _covered(value: str) -> str:
    return f"{value[:3]}…{value[-2:]}"
