"""Static models in folders: the vectors are those that the format means, reckoned here by hand."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram, WordLevel
from tokenizers.pre_tokenizers import Whitespace

from dsbuilder_tui.diversity.static_embedding import Embedder, folder_embedder
from dsbuilder_tui.domain.errors import ConfigError

WORDS = "where is my parcel which planet turns the fastest refund please now".split()
UNKNOWN = "[UNK]"
VOCABULARY = {word: number for number, word in enumerate([UNKNOWN, "[PAD]", *WORDS])}
QUESTIONS = (
    "where is my parcel",
    "which planet turns the fastest",
    "my parcel is where",
    "refund please now zzz",
    "zzz",
    "",
)
ROWS, SIZE = 5, 6  # shared rows, dimensions

Table = Sequence[Sequence[float]]


def numbers(rows: int, columns: int, seed: int) -> list[list[int]]:
    """Small whole numbers: every kind of tensor holds them exactly."""
    drawn: list[list[int]] = np.random.default_rng(seed).integers(-9, 10, (rows, columns)).tolist()
    return drawn


def by_hand(text: str, vectors: Table, mapping: Sequence[int] | None, weights: Sequence[float] | None) -> list[float]:
    """The mean of what the known tokens stand for, at length 1."""
    total = [0.0] * len(vectors[0])
    for word in text.split():
        if word in WORDS:
            token = VOCABULARY[word]
            row = vectors[token if mapping is None else mapping[token]]
            weight = 1.0 if weights is None else weights[token]
            total = [so_far + weight * number for so_far, number in zip(total, row, strict=True)]
    length = math.sqrt(sum(number * number for number in total))
    return [number / length if length else 0.0 for number in total]


def saved(folder: Path, tensors: Mapping[str, np.ndarray[Any, Any]], config: Mapping[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder / "model.safetensors")
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9, pad_id=1, pad_token="[PAD]")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(dict(config or {})))
    return folder


def assert_are(embedder: Embedder, vectors: Table, mapping: Any = None, weights: Any = None) -> None:
    expected = [by_hand(text, vectors, mapping, weights) for text in QUESTIONS]
    np.testing.assert_allclose(embedder.embed(QUESTIONS), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_vectors_of_every_kind(tmp_path: Path, kind: str, weighted: bool, mapped: bool) -> None:
    count = len(VOCABULARY)
    vectors = numbers(ROWS if mapped else count, SIZE, 1)
    mapping = [(7 * token + 3) % ROWS for token in range(count)] if mapped else None
    weights = [0.25 * (1 + token % 5) for token in range(count)] if weighted else None
    tensors = {"embeddings": np.array(vectors, kind)}
    if mapping is not None:
        tensors["mapping"] = np.array(mapping, "i4" if weighted else "i8")
    if weights is not None:
        tensors["weights"] = np.array(weights, "f8" if mapped else "f4")
    config = {"apply_zipf": True, "sif_coefficient": 1e-4, "normalize": weighted, "max_length": 512}
    embedder = folder_embedder(saved(tmp_path / "model", tensors, config))
    assert embedder.dimensions == SIZE
    assert_are(embedder, vectors, mapping, weights)


def test_unlike_questions_are_unlike(tmp_path: Path) -> None:
    """Few rows for many tokens, as when a vocabulary was shrunk: read without its mapping, everything is alike."""
    count = len(VOCABULARY)
    vectors = np.vstack([np.eye(8, 12), np.full((1, 12), 0.01)]).astype(np.float32)
    mapping = np.array([8, 8, 0, 0, 1, 2, 3, 4, 5, 0, 6, 7, 7, 7])
    assert len(mapping) == count
    weights = np.array([0.1, 0.1, 0.2, 0.1, 0.3, 5.0, 0.2, 6.0, 3.0, 0.1, 2.0, 4.0, 1.0, 1.0])
    embedder = folder_embedder(saved(tmp_path, {"embeddings": vectors, "mapping": mapping, "weights": weights}))
    parcel, planet, again = embedder.embed(QUESTIONS[:3])
    assert parcel @ planet < 0.05 and parcel @ again == pytest.approx(1)
    assert_are(embedder, vectors.tolist(), mapping, weights)


def test_a_column_of_weights_and_a_table_that_is_longer_than_its_vocabulary(tmp_path: Path) -> None:
    vectors, weights = numbers(64, SIZE, 2), [0.5 + token for token in range(64)]
    tensors = {"embeddings": np.array(vectors, "f2"), "weights": np.array(weights, "f4").reshape(-1, 1)}
    assert_are(folder_embedder(saved(tmp_path, tensors)), vectors, None, weights)


@pytest.mark.parametrize("inner", ["", "0_StaticEmbedding"])
def test_as_sentence_transformers_writes_it(tmp_path: Path, inner: str) -> None:
    vectors = numbers(len(VOCABULARY), SIZE, 3)
    saved(tmp_path / inner, {"embedding.weight": np.array(vectors, "f4")})
    assert_are(folder_embedder(tmp_path), vectors)


def test_half_precision_as_it_is_trained_in(tmp_path: Path) -> None:
    vectors = numbers(len(VOCABULARY), SIZE, 4)
    upper = (np.array(vectors, "<f4").view("<u4") >> 16).astype("<u2")
    saved(tmp_path, {"embeddings": upper})
    about = {"embeddings": {"dtype": "BF16", "shape": list(upper.shape), "data_offsets": [0, upper.nbytes]}}
    header = json.dumps(about).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + upper.tobytes())
    assert_are(folder_embedder(tmp_path), vectors)


def test_what_a_tokenizer_of_pieces_does_not_know_says_nothing(tmp_path: Path) -> None:
    vectors = numbers(len(VOCABULARY), SIZE, 5)
    saved(tmp_path, {"embeddings": np.array(vectors, "f4")})
    tokenizer = Tokenizer(Unigram([(word, -1.0) for word in VOCABULARY], unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert_are(folder_embedder(tmp_path), vectors)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"embeddings": np.ones((5, 4), "f4")}, "vectors for 5 tokens, and its tokenizer 14"),
        ({"embeddings": np.ones((5, 4), "f4"), "mapping": np.zeros(9, "i8")}, "vectors for 9 tokens"),
        ({"embeddings": np.ones((14, 4), "f4"), "weights": np.ones(3, "f4")}, "vectors for 3 tokens"),
        ({"embeddings": np.ones((5, 4), "f4"), "mapping": np.full(14, 7)}, "mapped to row 7 of 5"),
        ({"embeddings": np.ones((5, 4), "f4"), "mapping": np.full(14, -1)}, "mapped to row -1 of 5"),
        ({"encoder.weight": np.ones((14, 4), "f4"), "encoder.bias": np.ones(4, "f4")}, "2 tensors, none called embeddings"),
        ({"embeddings": np.ones(14, "f4")}, "no table of vectors"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(tmp_path: Path, tensors: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        folder_embedder(saved(tmp_path, tensors))


def test_its_vectors_are_known_by_both_files(tmp_path: Path) -> None:
    """What was made with another tokenizer cannot be compared."""
    vectors = {"embeddings": np.ones((len(VOCABULARY), 4), "f4")}
    name = folder_embedder(saved(tmp_path, vectors)).name
    assert folder_embedder(tmp_path).name == name
    os.utime(tmp_path / "tokenizer.json", (1, 1))
    assert folder_embedder(tmp_path).name != name
