"""The fingerprints of a piece of a dataset, made on any node of a cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.fingerprints import FingerprintBatch, Fingerprinter, hashes_of
from dsbuilder_tui.diversity.lsh_index import Hashes
from dsbuilder_tui.diversity.static_embedding import Vectors, local_embedder


class OtherVersion(Exception):
    """A node would make other fingerprints than the machine that asks."""


@dataclass(frozen=True, slots=True)
class PiecePrints:
    """The fingerprints but for the vectors, as they travel: all tokens in one array. ``cpu_seconds`` is what they took."""

    rows: NDArray[Any]
    tokens: NDArray[np.uint32]
    cpu_seconds: float

    @classmethod
    def of(cls, prints: FingerprintBatch, cpu_seconds: float) -> PiecePrints:
        return cls(prints.rows, np.concatenate([*prints.tokens, np.empty(0, np.uint32)]), cpu_seconds)

    def batch(self, vectors: Vectors, first: int) -> FingerprintBatch:
        """The fingerprints to be judged, in memory that may be written; rows are numbered from ``first`` (1 or more)."""
        rows = self.rows.copy()
        rows["seq"] = np.arange(first, first + len(rows))
        ends = np.cumsum([0, *rows["count"].tolist()]).tolist()
        return FingerprintBatch(rows, [self.tokens[start:end] for start, end in pairwise(ends)], vectors)


def piece_prints(
    model: str | None, versions: Mapping[str, Any], texts: Sequence[str], expectations: Sequence[Mapping[str, Any]]
) -> tuple[PiecePrints, Hashes, Vectors]:
    """The fingerprints of texts, by what they are looked up, and their vectors by a static ``model``; None where none are wanted.

    Raises ``OtherVersion`` where they would not have these ``versions``, and ``ConfigError``.
    """
    started = time.process_time()
    fingerprinter = _fingerprinter(model)
    if fingerprinter.versions != versions:
        raise OtherVersion
    prints = fingerprinter.prints(texts, expectations)
    return PiecePrints.of(prints, time.process_time() - started), hashes_of(prints.rows), prints.vectors


@cache  # a process has one table
def _fingerprinter(model: str | None) -> Fingerprinter:
    return Fingerprinter(None if model is None else local_embedder(model))
