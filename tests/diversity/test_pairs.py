"""The labelled pairs: what the masks must show alone, and which contrasts the traits must see."""

from __future__ import annotations

from collections import Counter

import pytest

from dsbuilder_tui.diversity.expected import expectation_key
from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.diversity.traits import differing, traits
from tests.diversity.pairs import CONTRASTS, QUANTITIES, REPEATS, STRUCTURAL, Pair, pairs


def _differing(pair: Pair) -> tuple[str, ...]:
    return differing(traits(pair.one), traits(pair.other))


@pytest.mark.parametrize("pair", pairs(*STRUCTURAL), ids=lambda pair: f"{pair.kind}: {pair.one[:40]}")
def test_other_incidental_detail_makes_no_other_text(pair: Pair) -> None:
    assert normalise(pair.one) == normalise(pair.other)
    assert _differing(pair) == ()


@pytest.mark.parametrize("pair", pairs(*QUANTITIES), ids=lambda pair: f"{pair.kind}: {pair.one[:40]}")
def test_another_quantity_is_seen(pair: Pair) -> None:
    assert normalise(pair.one) != normalise(pair.other)
    assert "quantity" in _differing(pair)


@pytest.mark.parametrize("pair", pairs("negation"), ids=lambda pair: pair.one[:40])
def test_a_negation_is_seen(pair: Pair) -> None:
    assert normalise(pair.one) != normalise(pair.other)
    assert "negation" in _differing(pair)


@pytest.mark.parametrize("pair", pairs("direction", "entity", "refusal_request"), ids=lambda pair: pair.one[:40])
def test_another_direction_entity_or_wish_is_seen(pair: Pair) -> None:
    assert normalise(pair.one) != normalise(pair.other)
    assert _differing(pair)


@pytest.mark.parametrize("pair", pairs("expectations"), ids=lambda pair: pair.one[:40])
def test_other_expectations_are_seen_where_the_texts_are_alike(pair: Pair) -> None:
    one, other = pair.expectations
    assert expectation_key(one) != expectation_key(other)
    assert _differing(pair) == ()


def test_repeats_in_other_words_rarely_look_like_a_contrast() -> None:
    assert [pair.one for pair in pairs("word_order", "light_edit") if _differing(pair)] == []
    paraphrases = pairs("paraphrase")
    assert sum(bool(_differing(pair)) for pair in paraphrases) <= len(paraphrases) // 6


def test_the_set_is_large_and_broad_enough() -> None:
    every = pairs()
    assert len(every) >= 230 and len({(pair.one, pair.other) for pair in every}) == len(every)
    kinds, languages = Counter(pair.kind for pair in every), Counter(pair.language for pair in every)
    assert set(kinds) == {*REPEATS, *CONTRASTS}
    assert all(kinds[kind] >= 12 for kind in REPEATS) and all(kinds[kind] >= 10 for kind in CONTRASTS)
    assert languages["es"] >= 25 and languages["de"] >= 25
    assert {pair.domain for pair in every} == {"support", "banking", "code", "medical", "travel"}
    assert all(pair.repeat == (pair.kind in REPEATS) for pair in every)
