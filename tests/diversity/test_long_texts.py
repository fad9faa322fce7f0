"""Texts that make a reader look ahead again and again: each is read in one pass, or this file does not end in its time."""

from __future__ import annotations

import itertools

import pytest

from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.diversity.traits import TRAITS, compared

LENGTH = 20_000  # as long as a text of a case may be
UNITS = (
    *("1-", "a-", "1a-", "-", "1", "a", "a1", "a'", "'", "'s", "s's'", "n't", "d'd'", "a's ", "don't "),
    *("1.", "1,", "1,,", "1..", "1/", "1:", "1_", "_", "__", "_1-", "a_", "1--", "--1", "a--", "a-b-", "-1-a", "１-", "٣-"),
    *("@", "a@", "a.b@", "a@b.", "a@b-", "é@", "a+", "+", "+1", "+1 ", "(", "(1", "(1)", "1)(", "12)-(", "12-34-", "12 34-"),
    *("$", "$1", "1$", "$ ", "1 €", "#", "#1", "#-", "#a-", "1,000,", "1.000.", "1 %", "½", "²", "\u0301", "a\u0301", "1\u0301"),
    *("www.", "http://", "<", "<id>", "<id", "2020-01-01t1:", "99:99 ", "1 of ", "1 de ", "1 jan ", "am 1.1.", "1st ", "1 uhr"),
    *("no ", "not ", "never ", "from ", "to ", "from a to b ", "möchte a ", "bitte a ", "five ", "one hundred ", "twice "),
    *("Mr. ", "Dear A ", "i'm A ", "this is A, ", "Van der ", "thanks A ", "Regards, A\n", "P.S ", "A. ", " ", "\n", "\t", "\x1e"),
)  # fmt: skip
TAILS = ("", "1", "a", "@", ".", "-")


@pytest.mark.timeout(60)  # what is read in quadratic time takes 10 to 20 s for one of these, and there are many
def test_a_long_text_is_read_in_one_pass() -> None:
    for unit, tail in itertools.product(UNITS, TAILS[:2]):
        masked, found = compared((unit * LENGTH)[:LENGTH] + tail)
        assert len(found) == len(TRAITS)
        assert isinstance(masked, str)


@pytest.mark.timeout(60)
def test_a_run_of_apostrophes_is_no_chain_of_contractions() -> None:
    for unit in ("s'", "'s", "'d", "n't", "a'll'"):
        text = unit * 5_000
        assert normalise(normalise(text)) == normalise(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("tail", TAILS)
def test_two_units_in_turn(tail: str) -> None:
    for one, other in itertools.combinations(UNITS[::6], 2):
        text = ((one + other) * 600)[:1200] + tail
        once = normalise(text)
        assert normalise(once) == once
