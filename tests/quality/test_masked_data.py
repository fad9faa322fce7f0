"""Personal data is masked, and what only looks like it is not: over labelled sentences of every kind but names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui.lint.personal_data import personal_data
from dsbuilder_tui.quality.personal_data import PersonalDataKind
from dsbuilder_tui.quality.personal_masking import PersonalDataMask

SENTENCES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "masked_data.yaml").read_text())


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row["text"][:40])
def test_what_is_personal_is_found_and_nothing_else(row: dict[str, Any]) -> None:
    text, found = row["text"], row.get("found", {})
    around = re.escape(text)
    for value in (value for values in found.values() for value in values):
        around = around.replace(re.escape(value), f"(?!{re.escape(value)})\\S.*?")
    mask = PersonalDataMask()
    masked = mask.mask(text)
    assert re.fullmatch(around, masked), masked
    assert mask.counts == {PersonalDataKind[kind]: len(values) for kind, values in found.items()}
    again = PersonalDataMask()
    assert again.mask(masked) == masked and not again.counts  # what stands in for it is nobody's


def test_the_same_address_has_the_same_stand_in_and_another_has_another() -> None:
    mask = PersonalDataMask()
    texts = mask.mask_all(
        ["From 81.2.69.142", "81.2.69.142 and 8.12.69.142", "2003:e1::1 and 2003:E1::1", "DOB 1984-03-12"]
    )
    assert texts == [
        "From 203.0.113.1", "203.0.113.1 and 203.0.113.2", "2001:db8::3 and 2001:db8::3", "DOB 1990-01-01",
    ]  # fmt: skip
    assert [kind.counted(number) for kind, number in sorted(mask.counts.items())] == [
        "5 IP addresses",
        "1 date of birth",
    ]
    assert PersonalDataKind.BIRTH_DATE.counted(2) == "2 dates of birth"


def test_the_lint_names_an_address_of_the_internet() -> None:
    assert list(personal_data("It came from 81.2.69.142, not 10.0.0.1")) == ["an IP address (81.…42)"]
