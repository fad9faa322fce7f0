"""Figures for people: each has a sentence with its value, and says what to do when it is bad."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dsbuilder_tui.domain.figures import Cell, Coverage, DiversityReport, Figures, Told, share_words, told_figures

GOOD = Figures(
    cases=1000, compared=1000, variety=112.4, most_variety=256, mean_likeness=0.2345, nearest_likeness=0.51, packed=3.24,
    sampled=1000, cells=60, cells_filled=60, pairs=412, pairs_filled=412, evenness={"tone": 0.97, "persona": 0.999},
    rejections={"near": 3, "structural": 41},
)  # fmt: skip


def told(figures: Figures) -> dict[str, Told]:
    return {one.name: one for one in told_figures(figures)}


def test_every_figure_has_a_sentence_with_its_value() -> None:
    said = {name: one.sentence for name, one in told(GOOD).items()}
    assert said == {
        "variety": "As varied as 112 entirely different cases among 1,000 (256 is the most that can be told apart).",
        "mean_likeness": "Two cases taken at random are 0.23 alike; 1.00 is the same text.",
        "nearest_likeness": "A case and the most alike one before it are 0.51 alike on average.",
        "packed": "Packed, the texts become 3.2 times smaller; the more they repeat each other's words, the more.",
        "cells": "60 of 60 planned cells (an axis value in a category) hold a case; so do 412 of 412 planned pairs of axis values.",
        "evenness": "The values of tone are used least evenly, at 0.97; 1.00 is each value alike often.",
        "rejections": "44 candidates (4 %) turned away: structural 41, near 3.",
    }
    assert not any(one.advice for one in told(GOOD).values())


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("variety", {"variety": 20.0}),
        ("mean_likeness", {"mean_likeness": 0.7}),
        ("nearest_likeness", {"nearest_likeness": 0.93}),
        ("packed", {"packed": 12.0}),
        ("cells", {"cells_filled": 59}),
        ("evenness", {"evenness": {"tone": 0.4}}),
        ("rejections", {"rejections": {"near": 1000}}),
    ],
)
def test_a_bad_figure_comes_with_something_to_do(name: str, bad: dict[str, object]) -> None:
    found = told(replace(GOOD, **bad))  # type: ignore[arg-type]
    assert [one.name for one in found.values() if one.advice] == [name]


def test_a_few_cases_are_not_judged() -> None:
    few = replace(
        GOOD, cases=5, compared=5, variety=1.0, most_variety=5, mean_likeness=0.99, nearest_likeness=0.99, rejections={}
    )
    assert not any(one.advice for one in told(few).values())
    assert told(few)["variety"].sentence == "As varied as 1 entirely different case among 5."


def test_what_there_is_too_little_for_is_left_out() -> None:
    assert [one.sentence for one in told_figures(Figures(1))] == ["Two cases are needed before they can be compared."]
    assert [one.name for one in told_figures(Figures(5))] == ["none"]
    sampled = replace(GOOD, sampled=900)
    assert "a sample of 900 texts become" in told(sampled)["packed"].sentence


def test_shares_round_to_nothing_and_to_all_only_when_it_is_so() -> None:
    assert [share_words(part, 1000) for part in (0, 1, 500, 999, 1000)] == ["0 %", "1 %", "50 %", "99 %", "100 %"]
    assert share_words(0, 0) == "–"


def test_a_report_is_json() -> None:
    data = json.loads(json.dumps(DiversityReport(GOOD, {"refunds": Figures(0)}).as_dict()))
    assert data["overall"]["mean_likeness"] == 0.234 and data["overall"]["variety"] == 112.4
    assert data["categories"]["refunds"]["variety"] is None
    assert data["sentences"]["mean_likeness"].startswith("Two cases taken at random")


def test_coverage_knows_the_axes_of_all_categories() -> None:
    cell = Cell(4, 1)
    coverage = Coverage(
        {"a": Cell(4, 2), "b": Cell(4, 4)},
        {"a": {"tone": {"polite": cell, "": Cell(0, 2)}}, "b": {"size": {"big": cell}, "tone": {"angry": cell}}},
    )
    assert coverage.axes() == {"tone": ("polite", "angry", ""), "size": ("big",)}
    assert cell.share == 0.25 and Cell(0, 3).share == 1.0 and Cell(2, 9).share == 1.0
    data = json.loads(json.dumps(coverage.as_dict()))
    assert data["b"] == {"planned": 4, "accepted": 4, "axes": {
        "size": {"big": {"planned": 4, "accepted": 1}}, "tone": {"angry": {"planned": 4, "accepted": 1}},
    }}  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "cause"),
    [
        ({"near": 30, "judge": 3}, "run out of ideas"),
        ({"judge": 30, "near": 3}, "wrong by the judge"),
        ({"critique": 30}, "wrong by the judge"),
        ({"validators": 30}, "break a rule of the plan"),
        ({"schema": 30}, "not in the form"),
        ({"person": 30}, "turned away by you"),
    ],
)
def test_the_advice_on_what_is_turned_away_names_the_cause(stages: dict[str, int], cause: str) -> None:
    assert cause in told(Figures(30, rejections=stages))["rejections"].advice


def test_what_nobody_wrote_was_not_turned_away() -> None:
    figures = Figures(30, rejections={"missing": 40, "near": 2})
    assert figures.rejected == 2 and told(figures)["rejections"].sentence.startswith("2 candidates")
    assert "rejections" not in told(Figures(30, rejections={"missing": 40}))
