"""What is new: three stages, the guard, scopes, and the file that keeps the fingerprints."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsbuilder_tui.diversity.answer import Answer, Partner, Question
from dsbuilder_tui.diversity.compared_text import compared_text, exact_hash
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprint_file import NAMES, FingerprintFile
from dsbuilder_tui.diversity.fingerprints import Fingerprinter
from dsbuilder_tui.diversity.halves import from_halves
from dsbuilder_tui.diversity.lsh_index import LshIndex
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex
from dsbuilder_tui.diversity.static_embedding import StaticEmbedder, Vectors, built_in_embedder, folder_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.domain.errors import ConfigError

LONG = (
    "I ordered the blue running shoes two weeks ago and they still have not arrived, can you tell me where they are now"
)
SAME_WORDS = LONG.replace("can you tell me", "could you tell me")
OTHER_WORDS = "Could you please cancel my subscription at the end of this month?"
PARAPHRASE = "Would you please cancel my subscription at the end of the month?"


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return built_in_embedder()


@pytest.fixture
def comparer(embedder: StaticEmbedder) -> Iterator[Comparer]:
    found = Comparer(embedder)
    yield found
    found.file.close()


def asked(text: str, category: str = "c", rules: Rules | None = None, **expectations: Any) -> Question:
    return Question(category, text, expectations, rules or Rules())


def one(comparer: Comparer, *arguments: Any, **expectations: Any) -> Answer:
    return comparer.judge([asked(*arguments, **expectations)])[0]


def stages(answers: Sequence[Answer]) -> list[str]:
    return [answer.match.stage if answer.match else "in" for answer in answers]


def test_each_stage_catches_its_kind(comparer: Comparer) -> None:
    answers = comparer.judge(
        [
            *(asked("Where is my order #12345?"), asked("where is my order #99?!"), asked(LONG), asked(SAME_WORDS)),
            *(asked(OTHER_WORDS), asked(PARAPHRASE, rules=Rules(near=0.99, semantic=0.9))),
        ]
    )
    assert stages(answers) == ["in", "structural", "in", "near", "in", "semantic"]
    assert [answer.row for answer in answers] == [0, None, 1, None, 2, None]
    structural, near, semantic = (answers[place].match for place in (1, 3, 5))
    assert structural and near and semantic
    assert (structural.row, structural.score, structural.threshold) == (0, 1.0, 1.0)
    assert near.row == 1 and 0.7 <= near.score < 1 and near.threshold == 0.7
    assert semantic.row == 2 and 0.9 <= semantic.score < 1 and semantic.threshold == 0.9
    assert all(match.reason for match in (structural, near, semantic))


def test_the_near_score_is_the_share_of_words_and_pairs(comparer: Comparer) -> None:
    one(comparer, "a b c d e f g h i j k l")
    answer = one(comparer, "a b c d e f g h i j k z")
    assert answer.match and answer.match.score == round((11 + 10) / (23 + 23 - 21), 4)
    short = one(comparer, "reset my password now please", "d"), one(comparer, "reset my password please", "d")
    assert short[1].match and (short[1].match.threshold, short[1].match.score) == (0.6, 0.6)


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (LONG, LONG.replace("two weeks", "nine weeks"), "quantity"),
        (LONG, LONG.replace("still have not", "still have"), "negation"),
        (OTHER_WORDS, OTHER_WORDS.replace("Could you please", "Please do not"), "negation"),
    ],
)
def test_contrast_is_let_in_with_a_flag(comparer: Comparer, first: str, second: str, differs: str) -> None:
    one(comparer, first)
    answer = one(comparer, second)
    assert answer.row == 1
    flag = next(flag for flag in answer.flags if flag.kind == "contrast")
    assert flag.row == 0 and differs in flag.differs and flag.score >= 0.6
    # The guard spoke for it, so another threshold would not turn it away.
    assert answer.near is None or answer.near.row != 0


def test_the_same_text_with_other_expectations_is_a_contradiction(comparer: Comparer) -> None:
    one(comparer, "Is smoking allowed on board?", allowed=False)
    answer = one(comparer, "Is smoking allowed on board?", allowed=True)
    assert answer.row == 1 and [(flag.kind, flag.row) for flag in answer.flags] == [("contradiction", 0)]
    again = comparer.judge([asked("Is smoking allowed on board?", allowed=value) for value in (True, False)])
    assert stages(again) == ["structural", "structural"]
    assert [answer.match.row for answer in again if answer.match] == [1, 0]


def test_nearly_a_repeat_is_flagged(comparer: Comparer) -> None:
    one(comparer, OTHER_WORDS)
    answer = one(comparer, PARAPHRASE, "c", Rules(frozenset({"semantic"}), semantic=0.999))
    assert answer.row == 1 and answer.semantic and answer.semantic.row == 0
    assert [flag.kind for flag in answer.flags] == (["similar"] if answer.semantic.value >= 0.929 else [])
    assert answer.semantic.value > 0.9


def test_categories_are_apart_unless_asked(embedder: StaticEmbedder) -> None:
    for across, expected in ((False, ["in", "in"]), (True, ["in", "structural"])):
        comparer = Comparer(embedder, across=across)
        assert stages(comparer.judge([asked("Hello there", "a"), asked("hello there!", "b")])) == expected


def test_a_window_forgets_in_every_stage(embedder: StaticEmbedder) -> None:
    filler = [f"{word} {word}er about {word}ing the {n}" for n, word in enumerate("lamp door cat sun jam".split())]
    for window, expected in ((None, ["structural", "near", "semantic"]), (3, ["in", "in", "in"])):
        comparer = Comparer(embedder, window=window)
        comparer.judge([asked(text) for text in ("Where is my order #1?", LONG, OTHER_WORDS, *filler)])
        again = [
            asked("Where is my order #2?"),
            asked(SAME_WORDS),
            asked(PARAPHRASE, rules=Rules(near=0.99, semantic=0.9)),
        ]
        assert stages(comparer.judge(again)) == expected
    recent = Comparer(embedder, window=3)
    recent.judge([asked(text) for text in (*filler, LONG)])
    assert stages([one(recent, SAME_WORDS)]) == ["near"]


def test_stages_and_thresholds_of_a_category(comparer: Comparer) -> None:
    loose = Rules(frozenset({"structural"}))
    assert stages(comparer.judge([asked(LONG, "c", loose), asked(SAME_WORDS, "c", loose)])) == ["in", "in"]
    assert stages([one(comparer, LONG, "c", loose), one(comparer, LONG, "c", Rules(frozenset()))]) == [
        "structural",
        "in",
    ]


def test_of_a_group_the_first_new_one_is_taken(comparer: Comparer) -> None:
    one(comparer, LONG)
    groups = [
        [asked(SAME_WORDS), asked(OTHER_WORDS), asked("Never looked at")],
        [asked("Never looked at"), asked(LONG)],
    ]
    answers = comparer.judge_groups(groups)
    assert [stages(group) for group in answers] == [["near", "in"], ["in"]]
    assert len(comparer) == 3


@pytest.mark.parametrize("text", ["", "?!…", "😀", "\ud83d", "\x00\x1e", "a" * 50_000, "م" * 300, "<id> <id>"])
def test_odd_texts(comparer: Comparer, text: str) -> None:
    assert stages([one(comparer, text), one(comparer, text), one(comparer, LONG)]) == ["in", "structural", "in"]


def test_the_same_order_gives_the_same_answers_however_it_is_cut(embedder: StaticEmbedder) -> None:
    rng = random.Random(5)
    words = LONG.split() + OTHER_WORDS.split()
    questions = [asked(" ".join(rng.choices(words, k=9)), rng.choice("ab")) for _ in range(3000)]
    whole = Comparer(embedder).judge(questions)
    pieces = Comparer(embedder)
    cut = [answer for first in range(0, 3000, 7) for answer in pieces.judge(questions[first : first + 7])]
    assert cut == whole
    assert set(stages(whole)) >= {"semantic", "in"}


def test_a_conversation_is_compared_as_a_whole(comparer: Comparer) -> None:
    turns = [{"role": "user", "content": LONG}, {"role": "assistant", "content": "Let me look that up for you."}]
    other = [*turns, {"role": "user", "content": "Never mind, the parcel came while we talked, my neighbour had it."}]
    texts = [compared_text({"messages": messages}) for messages in (turns, other, turns)]
    assert stages([one(comparer, text) for text in texts]) == ["in", "in", "structural"]


def test_chains_find_all_that_share_a_hash() -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 300, (2000, 4), dtype=np.uint32)
    grown, bulk = LshIndex(4), LshIndex(4)
    for row in hashes:
        grown.add(row)
    bulk.extend(hashes[:700])
    bulk.extend(hashes[700:])
    for row in hashes[:50]:
        expected = np.flatnonzero((hashes == row).any(axis=1))[::-1]
        assert grown.sharing(row, 10_000).rows.tolist() == bulk.sharing(row, 10_000).rows.tolist() == expected.tolist()
    some = grown.sharing(hashes[0], 3)
    assert 3 <= np.bitwise_count(some.columns).sum() <= 6 and len(LshIndex(4).sharing(hashes[0], 5).rows) == 0


def test_chains_find_the_same_after_they_were_split() -> None:
    """From 65,536 buckets on only half of each hash is kept; chains of both halves of a bucket are parted."""
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 2**32, (280_000, 2), dtype=np.uint32)
    hashes[rng.integers(0, 280_000, 20_000)] = hashes[rng.integers(0, 280_000, 20_000)]  # some occur again and again
    hashes[rng.integers(0, 280_000, 500), 0] = 77
    index = LshIndex(2)
    index.extend(hashes[:130_000])
    for row in hashes[130_000:132_500]:  # over the step, one by one
        index.add(row)
    index.extend(hashes[132_500:])
    again, at_once = LshIndex(2), LshIndex(2)
    again.extend(hashes)
    at_once.reserve(len(hashes))
    at_once.extend(hashes)
    for row in [*hashes[:: 280_000 // 60], np.array([77, 0], np.uint32)]:
        expected = np.flatnonzero((hashes == row).any(axis=1))[::-1]
        for each in (index, again, at_once):
            assert each.sharing(row, 10_000).rows.tolist() == expected.tolist()


def test_a_repeat_is_found_behind_many_that_are_alike(comparer: Comparer) -> None:
    texts = [f"May I return the lamp within {days} days of May?" for days in range(3, 200)]
    found = stages([one(comparer, text) for text in [*texts, texts[0]]])
    assert found == ["in"] * len(texts) + ["structural"]


@pytest.mark.parametrize("across", [False, True])
def test_many_scopes_share_one_index(embedder: StaticEmbedder, across: bool) -> None:
    """The same text in each of many categories is found in its own, and in no other one."""
    comparer = Comparer(embedder, across=across)
    texts = ["Where is my parcel?", "Can I pay by card in the shop?", "The lamp arrived broken."]
    rounds = [[asked(f"{text}", f"c{number}") for number in range(300)] for text in (*texts, texts[0])]
    answers = [comparer.judge(questions) for questions in rounds]
    if across:
        assert sum(answer.row is not None for given in answers for answer in given) == len(texts)
        return
    assert all(answer.row is not None for given in answers[:3] for answer in given)
    assert [answer.match.row for answer in answers[3] if answer.match] == list(range(300))
    asked_again = comparer.ask([asked("The lamp arrived broken!", f"c{number}") for number in (299, 7, 300)])
    assert [answer.match.row if answer.match else None for answer in asked_again] == [899, 607, None]


@pytest.mark.parametrize("count", [40, 1500, 5000])
def test_the_nearest_vector_is_among_the_candidates(count: int) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(count, 256)).astype(np.float32)
    index = SignIndex(256)
    for first in range(0, count, 999):
        index.extend(vectors[first : first + 999])
    for member in range(0, count, count // 20):
        near = vectors[member] + rng.normal(size=256).astype(np.float32) * 0.5
        signs = index.signs(near[np.newaxis])
        assert member in index.candidates(signs, 0) and len(index.candidates(signs, 0)) <= MOST
        recent = index.candidates(signs, count - 30)
        assert len(recent) == 30 and recent.min() >= count - 30


def test_of_members_that_are_as_near_as_each_other_the_oldest_are_candidates() -> None:
    index, vectors = SignIndex(100), np.ones((300, 100), np.float32)
    vectors[:40, 0] = -1.0
    index.extend(vectors)
    assert index.candidates(index.signs(vectors[-1:]), 0).tolist() == list(range(40, 40 + MOST))
    assert index.candidates(index.signs(vectors[:1]), 0).tolist() == list(range(MOST))
    assert index.candidates(index.signs(vectors[-1:]), 100).tolist() == list(range(100, 100 + MOST))


def test_halves_are_read_exactly() -> None:
    every = np.arange(2**16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    read = from_halves(finite[: len(finite) // 4 * 4].reshape(-1, 4))
    assert len(finite) == 63488 and read.dtype == np.float32
    assert np.array_equal(read.ravel(), finite.astype(np.float32)) and np.signbit(read.ravel()[finite == 0]).sum() == 1


class Letters:
    """Vectors of letter counts."""

    name, dimensions = "letters", 26

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([[text.count(chr(97 + n)) for n in range(26)] for text in texts], np.float32) / 100


def filled(folder: Path, count: int, embedder: Any = None) -> None:
    maker = Fingerprinter(embedder or Letters())
    file = FingerprintFile.open(folder, maker.row_type, maker.versions)
    comparer = Comparer(embedder or Letters(), file)
    rows = comparer.admit([asked(f"text about {chr(97 + n % 26) * (n + 2)}") for n in range(count)])
    file.rows["seq"][rows.start : rows.stop] = np.arange(rows.start, rows.stop) + 1
    file.close()


def reopened(folder: Path, embedder: Any = None) -> FingerprintFile:
    maker = Fingerprinter(embedder or Letters())
    return FingerprintFile.open(folder, maker.row_type, maker.versions)


def test_the_file_is_there_again(tmp_path: Path) -> None:
    filled(tmp_path, 30)
    with_file = Comparer(Letters(), reopened(tmp_path))
    with_file.index(np.arange(30), ["c"] * 30)
    answer = one(with_file, "text about aa", "c", Rules(frozenset({"structural", "near"})))
    assert answer.match and answer.match.row == 0
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in NAMES)
    with_file.file.close()
    assert len(reopened(tmp_path)) == 30


@pytest.mark.parametrize("place", ["body", "tokens", "tail", "cut"])
def test_what_is_damaged_is_dropped_and_the_rest_stays(tmp_path: Path, place: str) -> None:
    filled(tmp_path, 30)
    rows, tokens = (tmp_path / name for name in NAMES[1:])
    size = rows.stat().st_size // 30
    if place == "tokens":
        data = bytearray(tokens.read_bytes())
        data[40] ^= 1
        tokens.write_bytes(data)
    elif place == "body":
        data = bytearray(rows.read_bytes())
        data[size * 3 + 50] ^= 1
        rows.write_bytes(data)
    elif place == "tail":
        rows.write_bytes(rows.read_bytes() + b"\x07" * (size * 2 + 5))
    else:
        rows.write_bytes(rows.read_bytes()[: size * 12 + 7])
    file = reopened(tmp_path)
    assert len(file) == {"tokens": 29, "body": 29, "tail": 30, "cut": 12}[place]
    assert sorted(set(file.rows["seq"].tolist())) == file.rows["seq"].tolist()
    file.close()


def test_other_versions_begin_anew(tmp_path: Path, embedder: StaticEmbedder) -> None:
    filled(tmp_path, 5)
    file = reopened(tmp_path, embedder)
    assert len(file) == 0
    file.close()
    (tmp_path / NAMES[0]).write_text("{")
    assert len(reopened(tmp_path, embedder)) == 0


def test_a_static_model_in_a_folder(tmp_path: Path, embedder: StaticEmbedder) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(ConfigError, match=r"has no model\.safetensors"):
        folder_embedder(tmp_path)
    tokens = embedder._tokenizer.get_vocab_size()
    save_file({"embeddings": np.eye(tokens, 20, dtype=np.float32)}, tmp_path / "model.safetensors")
    embedder._tokenizer.save(str(tmp_path / "tokenizer.json"))
    own = folder_embedder(tmp_path)
    rows = own.embed(["abc", "", "abc def"])
    assert own.dimensions == 20 and rows.shape == (3, 20) and not rows[1].any()
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="cannot be read"):
        folder_embedder(tmp_path)


def as_partner(of: str, text: str, *, reworded: bool) -> Question:
    return replace(asked(text, rules=Rules(once=True)), partner=Partner(exact_hash(of), reworded))


@pytest.mark.parametrize("reworded", [False, True])
def test_a_partner_may_be_like_its_own_case_and_like_no_other(comparer: Comparer, reworded: bool) -> None:
    comparer.admit([asked(LONG), asked(OTHER_WORDS)])
    answers = comparer.judge([
        asked(SAME_WORDS), as_partner(OTHER_WORDS, SAME_WORDS, reworded=reworded), as_partner(LONG, LONG, reworded=reworded),
        as_partner(LONG, OTHER_WORDS, reworded=reworded), as_partner(LONG, SAME_WORDS, reworded=reworded),
        as_partner(OTHER_WORDS, PARAPHRASE, reworded=reworded),
    ])  # fmt: skip
    assert [answer.row is None for answer in answers] == [True, True, True, True, False, False]


def test_a_contrast_may_differ_in_a_detail_alone_and_a_paraphrase_may_not(embedder: StaticEmbedder) -> None:
    case, partner = "Refund order #12345 to my card ending in 4410", "Refund order #12399 to my card ending in 4410"
    for reworded in (False, True):
        comparer = Comparer(embedder)
        comparer.admit([asked(case)])
        (answer,) = comparer.judge([as_partner(case, partner, reworded=reworded)])
        assert (answer.row is None) is reworded
        comparer.file.close()
