"""How different the cases of two datasets are, each text embedded once: vectors of the first one lie in a temporary file."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Sequence
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.compared_text import masked
from dsbuilder_tui.diversity.metrics import MOST_TEXTS, Spread, packed
from dsbuilder_tui.diversity.row_keys import Numbers
from dsbuilder_tui.diversity.static_embedding import Vectors, built_in_embedder
from dsbuilder_tui.domain.dataset_comparison import ComparedRow
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.domain.figures import Figures

_BLOCK = 1024  # texts that are embedded at once
_TYPE = np.float16


class ComparedSpread:
    """The figures of ``before``, then those of ``after``; ``twins`` has for each case of that the one before that says the same,
    or -1. Raises ``StorageError`` when there is no room for the file."""

    def __init__(self, before: Sequence[ComparedRow], after: Sequence[ComparedRow], twins: Numbers) -> None:
        self._before, self._after, self._twins = before, after, twins
        self._embedder = built_in_embedder()
        self._row = self._embedder.dimensions * np.dtype(_TYPE).itemsize
        try:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="dsbuilder-"))  # noqa: SIM115
        except OSError as error:
            raise _no_room(error) from None
        weakref.finalize(self, self._file.close)

    def before(self) -> Figures:
        """The figures of the first dataset. To be asked for first."""
        spread = Spread()
        try:
            for first in range(0, len(self._before), _BLOCK):
                vectors = self._embedded([case.text for case in self._before[first : first + _BLOCK]])
                self._file.write(vectors.tobytes())
                spread.add("", vectors)
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from None
        return _figures(spread, self._before)

    def after(self) -> Figures:
        """The figures of the second one."""
        spread = Spread()
        for first in range(0, len(self._after), _BLOCK):
            twins = self._twins[first : first + _BLOCK].tolist()
            new = [self._after[first + place].text for place, twin in enumerate(twins) if twin < 0]
            made = iter(self._embedded(new) if new else ())
            spread.add("", np.array([self._kept(twin) if twin >= 0 else next(made) for twin in twins]))
        return _figures(spread, self._after)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed([masked(text) for text in texts]).astype(_TYPE)

    def _kept(self, number: int) -> NDArray[np.float16]:
        return np.frombuffer(os.pread(self._file.fileno(), self._row, number * self._row), _TYPE)


def _figures(spread: Spread, cases: Sequence[ComparedRow]) -> Figures:
    sample = [case.text for case in cases[:: max(1, -(-len(cases) // MOST_TEXTS))]]
    return Figures(
        cases=len(cases), compared=spread.count(), variety=spread.vendi(),
        most_variety=min(spread.count(), spread.dimensions()), mean_likeness=spread.mean_similarity(),
        packed=packed(sample), sampled=len(sample),
    )  # fmt: skip


def _no_room(error: OSError) -> StorageError:
    return StorageError(
        f"A temporary file in {tempfile.gettempdir()} could not be written: {error.strerror or error}.",
        "Free some space there, or set TMPDIR to another folder.",
    )
