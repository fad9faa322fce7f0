"""Over the labelled cases of six domains no good case is turned away, and of each kind of fault nearly all are found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui.domain.case import AcceptedCase, Slot
from dsbuilder_tui.domain.case_pair import PairKind, PlannedPair
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.generation.grounding_tags import grounding_tags
from dsbuilder_tui.quality.validation import BY_DEFAULT, VALIDATORS, Validation
from dsbuilder_tui.quality.validator import CheckedCase

FILES = sorted(Path(__file__).parent.glob("cases_*.yaml"))


@dataclass(frozen=True)
class Labelled:
    domain: str
    plan: DatasetPlanInput
    case: CheckedCase
    wrong: str

    @property
    def fault(self) -> str | None:
        return Validation(self.plan).fault(self.case)


def labelled_cases() -> Iterator[Labelled]:
    for file in FILES:
        content = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for case in content["cases"]:
            yield labelled(file.stem.removeprefix("cases_"), content["plan"], case)


def labelled(domain: str, plan: dict[str, Any], case: dict[str, Any]) -> Labelled:
    source, quotes = case.get("source", ""), case.get("evidence")
    rules = [*case.get("by", []), *["-evidence"] * (quotes is None)]  # a case that is about something else
    category = {**plan["categories"][0], "validators": rules}
    parsed = parse_plan({**plan, "categories": [category]})
    fields = list(parsed.input_fields)
    inputs = {fields[0]: case["text"], **dict.fromkeys(fields[1:], "en-GB")}
    slot = Slot(category["name"], 1, {axis: str(value) for axis, value in case.get("attributes", {}).items()})
    if source:
        slot = replace(slot, passages=(Passage("rules.md", "", 0, len(source), source),))
    if "original" in case:  # it is the partner of that one
        before = case["original"]
        original = AcceptedCase(
            1, category["name"], 1, {**inputs, fields[0]: before["text"]},
            {**parsed.categories[0].expectations, **before.get("expectations", {})}, {}, 0.0,
        )  # fmt: skip
        slot = replace(slot, ordinal=2, pair=PlannedPair(PairKind(case["pair"]), 1), original=original)
    expectations = {**parsed.categories[0].expectations, **case.get("expectations", {})}
    evidence = evidence_of(grounding_tags(slot, {"evidence": quotes}))
    checked = Validation(parsed).case(slot, inputs, expectations, evidence)
    return Labelled(domain, parsed, checked, case.get("wrong", ""))


CASES = list(labelled_cases())


def test_there_are_enough_of_each() -> None:
    assert len(CASES) >= 150 and len({case.domain for case in CASES}) == 6
    wrong = Counter(case.wrong for case in CASES)
    assert wrong[""] >= 75
    built_in = {name for name, row in VALIDATORS.rows.items() if not row.package}
    assert set(wrong) - {""} == built_in and min(wrong.values()) >= 2


@pytest.mark.parametrize("domain", sorted({case.domain for case in CASES}))
def test_no_good_case_is_turned_away(domain: str) -> None:
    good = [case for case in CASES if case.domain == domain and not case.wrong]
    assert {case.case.text: case.fault for case in good if case.fault} == {}


def test_of_each_kind_nearly_all_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[str, list[Labelled]] = defaultdict(list)
    missed: dict[str, list[Labelled]] = defaultdict(list)
    for case in CASES:
        if case.wrong:
            reasons = (case.fault or "").split("; ")
            (found if any(reason.startswith(f"{case.wrong}: ") for reason in reasons) else missed)[case.wrong].append(
                case
            )
    kinds = sorted({*found, *missed})
    with capsys.disabled():
        print(f"\n{'kind':<18}{'on':>9}{'cases':>7}{'found':>7}")
        for kind in kinds:
            total = len(found[kind]) + len(missed[kind])
            on = "default" if kind in BY_DEFAULT else "by name"
            print(f"{kind:<18}{on:>9}{total:>7}{len(found[kind]) / total:>7.0%}")
    assert {kind: [case.case.text for case in missed[kind]] for kind in kinds if missed[kind]} == {}
