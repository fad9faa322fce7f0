"""Fingerprints of a text, by which others are compared with it: hashes, word pairs, traits, a vector.

Near likeness is the Jaccard similarity of the sets of words and word pairs of the masked texts. Candidates are found by
MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, ch. 3); the score
itself is counted, not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from dsbuilder_tui.diversity.compared_text import PARTS, exact_hash, masked, text_hash
from dsbuilder_tui.diversity.expectation_hash import expectation_key
from dsbuilder_tui.diversity.normalise import NORMALISER_VERSION
from dsbuilder_tui.diversity.passages import MOST_PASSAGES, ReadText
from dsbuilder_tui.diversity.static_embedding import Embedder, Vectors
from dsbuilder_tui.diversity.traits import TRAITS, compared, traits

BANDS, ROWS_A_BAND = 20, 5
_PERMUTATIONS, _SEED = BANDS * ROWS_A_BAND, 42
_MOST_TOKENS = 2000  # words and word pairs of a text that are looked at

Tokens = NDArray[np.uint32]
Rows = NDArray[Any]


def _masked_and_traits(text: str) -> tuple[str, tuple[int, ...]]:
    return (masked(text), traits(text)) if PARTS in text else compared(text)


def tokens_of(masked_text: str) -> tuple[Tokens, int]:
    """Hashes of the distinct words and word pairs of a masked text, growing; and its number of words."""
    words = masked_text.encode("utf-8", "surrogatepass").split()
    digest = xxhash.xxh32_intdigest
    pairs = words[: _MOST_TOKENS // 2]
    found = {digest(word) for word in pairs}
    found.update([digest(one + b" " + other) for one, other in pairwise(pairs)])
    return np.array(sorted(found), np.uint32), len(words)


def row_type(dimensions: int, measured: int = 0) -> np.dtype[Any]:
    """One row of the file of fingerprints. What stands behind ``check`` is covered by it.

    ``measured`` is the length of a second vector, by which the figures are reckoned.
    """
    return np.dtype(
        [
            ("seq", "<i8"),  # the case's place in the history; 0: not given yet
            ("start", "<u8"),  # of its tokens in the other file
            ("nearest", "<f4"),  # cosine to the nearest earlier one, nan for the first
            ("check", "<u4"),
            ("text", "<i8"),  # masked
            ("exact", "<i8"),  # as it stands
            ("count", "<u4"),
            ("words", "<u4"),
            ("token_sum", "<u4"),
            ("expected", "<u4"),
            ("traits", "<u4", (len(TRAITS),)),
            ("bands", "<u4", (BANDS,)),
            ("passages", "<u4", (MOST_PASSAGES,)),  # long parts, 0 where there are no more
            ("left_out", "<u4"),  # which of them are not compared, 0 for none
            ("vector", "<f2", (dimensions + dimensions % 2,)),
            ("measure", "<f2", (measured + measured % 2,)),
        ]
    )


def stored_row_type(versions: Mapping[str, Any]) -> np.dtype[Any]:
    """One row of a file that has these ``versions`` (``Fingerprinter.versions``). Raises ``KeyError``."""
    return row_type(versions["dimensions"], versions.get("measured", 0))


_CHECKED = 256  # rows at once
_BODY = 24  # bytes of a row before what `check` covers


def checks(rows: Rows) -> NDArray[np.uint32]:
    """A checksum of each row's body."""
    body = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.dtype.itemsize)[:, _BODY:].view("<u4")
    weights = (np.arange(body.shape[1], dtype=np.uint64) * np.uint64(2654435761) + np.uint64(40503)) | np.uint64(1)
    total = np.empty(len(rows), np.uint64)
    for first in range(0, len(rows), _CHECKED):  # some at a time: eight bytes for each four of them are a lot of memory
        some = slice(first, first + _CHECKED)
        total[some] = (body[some].astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    folded: NDArray[np.uint32] = ((total >> np.uint64(32)) ^ (total & np.uint64(0xFFFFFFFF))).astype(np.uint32)
    return folded ^ np.uint32(0x9E3779B9)  # so that a row of zeros is not whole


def hashes_of(prints: NDArray[Any]) -> NDArray[np.uint32]:
    """The columns under which texts are looked up: one for the whole text, one a band."""
    whole = (prints["text"].astype(np.uint64) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return np.concatenate([whole[:, np.newaxis], prints["bands"]], axis=1)


@dataclass(frozen=True, slots=True)
class FingerprintBatch:
    """Fingerprints of some texts, a row each, and the tokens of each."""

    rows: Rows
    tokens: list[Tokens]
    vectors: Vectors


class Fingerprinter:
    """Makes fingerprints. Without an ``embedder`` there are no vectors, and nothing can be semantic.

    ``measure`` makes the vectors of the figures, when those of the embedder are others.
    """

    def __init__(self, embedder: Embedder | None, measure: Embedder | None = None) -> None:
        self._embedder, self._measure = embedder, measure
        self.row_type = row_type(embedder.dimensions if embedder else 0, measure.dimensions if measure else 0)

    @property
    def versions(self) -> dict[str, Any]:
        """What the fingerprints hang on; others cannot be compared with them."""
        measure = {"measure": self._measure.name, "measured": self._measure.dimensions} if self._measure else {}
        return {
            **measure,
            "format": 6,
            "normaliser": NORMALISER_VERSION,
            "traits": list(TRAITS),
            "bands": [BANDS, ROWS_A_BAND, _SEED],
            "embedding": self._embedder.name if self._embedder else None,
            "dimensions": self._embedder.dimensions if self._embedder else 0,
        }

    def masked(self, texts: Sequence[str]) -> list[str]:
        return [masked(text) for text in texts]

    def prints(
        self,
        texts: Sequence[str],
        expectations: Sequence[Mapping[str, Any]],
        vectors: Vectors | None = None,
        parts: Sequence[ReadText] | None = None,
    ) -> FingerprintBatch:
        """Fingerprints of ``texts``; ``vectors`` when somebody else has embedded them already.

        ``parts`` says what of each is compared, where that is not all.
        """
        parts = [ReadText(text) for text in texts] if parts is None else parts
        read = [_masked_and_traits(part.compared) for part in parts]
        masked_texts = [masked_text for masked_text, _ in read]
        if vectors is None:
            vectors = self._embedder.embed(masked_texts) if self._embedder else np.zeros((len(texts), 0), np.float32)
        rows = np.zeros(len(texts), self.row_type)
        tokens = []
        for place, ((masked_text, own_traits), part, expected) in enumerate(
            zip(read, parts, expectations, strict=True)
        ):
            found, words = tokens_of(masked_text)
            tokens.append(found)
            row = rows[place]
            whole = masked(texts[place]) if part.left_out else masked_text
            row["text"], row["words"], row["expected"] = text_hash(whole), words, expectation_key(expected)
            row["passages"][: len(part.passages)], row["left_out"] = part.passages, part.left_out
            row["exact"], row["traits"] = exact_hash(texts[place]), own_traits
            row["count"], row["token_sum"] = len(found), int(found.sum(dtype=np.uint64)) & 0xFFFFFFFF
        rows["bands"], rows["nearest"] = _bands(tokens), np.nan
        if vectors.shape[1]:
            rows["vector"][:, : vectors.shape[1]] = vectors
        if self._measure is not None:
            rows["measure"][:, : self._measure.dimensions] = self._measure.embed(masked_texts)
        rows["check"] = checks(rows)
        return FingerprintBatch(rows, tokens, vectors)


def _bands(tokens: Sequence[Tokens]) -> NDArray[np.uint32]:
    """One number a band of each text's signature. Texts without words have random ones: they are like nothing."""
    from rensa import RMinHash

    flat = np.concatenate([*tokens, np.empty(0, np.uint32)]).astype(np.uint64)
    ends = np.cumsum([0, *map(len, tokens)]).astype(np.uint64)
    signatures = np.array(
        RMinHash.digest_matrix_from_flat_token_hashes(flat, ends, _PERMUTATIONS, _SEED).to_rows(), np.uint64
    ).reshape(len(tokens), BANDS, ROWS_A_BAND)
    mixed = np.zeros(signatures.shape[:2], np.uint64)
    for part in range(ROWS_A_BAND):
        mixed = (mixed ^ signatures[:, :, part]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(16)).astype(np.uint32)
