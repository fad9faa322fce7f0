"""The labelled pairs: what the masks must show alone, and which contrasts the traits must see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.expectation_hash import expectation_key
from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.diversity.traits import differing, traits
from tests.diversity.pairs import ASKED, CONTRASTS, QUANTITIES, REPEATS, STRUCTURAL, Pair, pairs, unseen_pairs


def _differing(pair: Pair) -> tuple[str, ...]:
    return differing(traits(pair.one), traits(pair.other))


@pytest.fixture(scope="module")
def comparer() -> Iterator[Comparer]:
    found = Comparer(built_in_embedder())
    yield found
    found.file.close()


def _answers(comparer: Comparer, labelled: Sequence[Pair], rules: Rules) -> list[Answer]:
    """What is said to the second text of each pair, each pair in a category of its own."""
    questions = [
        Question(f"{len(comparer)} {place}", text, expected, rules)
        for place, pair in enumerate(labelled)
        for text, expected in zip((pair.one, pair.other), pair.expectations, strict=True)
    ]
    return comparer.judge(questions)[1::2]


@pytest.mark.parametrize("pair", pairs(*STRUCTURAL), ids=lambda pair: f"{pair.kind}: {pair.one[:40]}")
def test_other_incidental_detail_makes_no_other_text(pair: Pair) -> None:
    assert normalise(pair.one) == normalise(pair.other)
    assert _differing(pair) == ()


@pytest.mark.parametrize("pair", pairs(*QUANTITIES), ids=lambda pair: f"{pair.kind}: {pair.one[:40]}")
def test_another_quantity_is_seen(pair: Pair) -> None:
    assert normalise(pair.one) != normalise(pair.other)
    assert _differing(pair)


@pytest.mark.parametrize("pair", pairs("negation"), ids=lambda pair: pair.one[:40])
def test_a_negation_is_seen(pair: Pair) -> None:
    assert normalise(pair.one) != normalise(pair.other)
    assert _differing(pair)


def test_most_other_questions_owners_particles_and_comparisons_are_seen() -> None:
    every = pairs(*ASKED)
    assert len([pair for pair in every if _differing(pair)]) >= 0.95 * len(every)


def test_a_word_that_changes_what_it_is_about_is_seen_by_its_weight(comparer: Comparer) -> None:
    answers = _answers(comparer, pairs("subject"), Rules())
    assert [answer.match for answer in answers if answer.match] == []
    flags = [flag.differs for answer in answers for flag in answer.flags if flag.kind == "contrast"]
    assert flags.count(("subject",)) >= 0.5 * len(answers)


def test_most_other_directions_entities_and_wishes_are_seen() -> None:
    every = pairs("direction", "entity", "refusal_request")
    assert all(normalise(pair.one) != normalise(pair.other) for pair in every)
    assert len([pair for pair in every if _differing(pair)]) >= 0.95 * len(every)


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


def test_the_first_stage_turns_away_all_other_incidental_detail(comparer: Comparer) -> None:
    answers = _answers(comparer, pairs(*STRUCTURAL), Rules())
    assert {answer.match.stage if answer.match else None for answer in answers} == {"structural"}


@pytest.mark.parametrize("stage", ["structural", "near", "semantic"])
def test_no_stage_turns_away_another_quantity_or_a_negation(comparer: Comparer, stage: str) -> None:
    some = pairs(*QUANTITIES, "negation", "expectations")
    answers = _answers(comparer, some, Rules(frozenset([stage])))
    assert [pair.one for pair, answer in zip(some, answers, strict=True) if answer.match] == []


def test_all_stages_together_turn_away_repeats_and_let_contrasts_in(comparer: Comparer) -> None:
    every = pairs()
    turned_away = [answer.match is not None for answer in _answers(comparer, every, Rules())]
    hits = sum(away and pair.repeat for away, pair in zip(turned_away, every, strict=True))
    assert hits / sum(turned_away) >= 0.95
    assert hits / sum(pair.repeat for pair in every) >= 0.75


def test_a_contrast_is_flagged_where_only_the_guard_kept_it(comparer: Comparer) -> None:
    answers = _answers(comparer, pairs("negation", *QUANTITIES), Rules())
    kinds = Counter(flag.kind for answer in answers for flag in answer.flags)
    assert kinds["contrast"] >= 0.7 * len(answers)


def test_pairs_that_the_word_lists_were_not_fitted_to() -> None:
    contrasts = [bool(_differing(pair)) for pair in unseen_pairs() if not pair.repeat]
    repeats = [bool(_differing(pair)) for pair in unseen_pairs() if pair.repeat]
    assert sum(contrasts) >= 0.6 * len(contrasts) and sum(repeats) <= 0.1 * len(repeats)
