"""The vectors of a static model's tokens, where they lie in their file.

A table as model2vec writes it (https://github.com/MinishLab/model2vec) has ``embeddings``, in single, double or half precision
or as whole numbers of 8 bits. Where its vocabulary was shrunk many tokens share a row: ``mapping`` says which row each has, and
``weights`` how much each counts. Weighting by frequency (Zipf, SIF) is in the vectors already. What sentence-transformers
writes has ``embedding.weight`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.domain.errors import ConfigError

_NAMES = ("embeddings", "embedding.weight")
# In memory is only what is looked up. The half of single precision called BF16 is unknown to numpy.
_KINDS = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "|i1", "U8": "|u1", "I16": "<i2", "U16": "<u2", "I32": "<i4",
    "U32": "<u4", "I64": "<i8", "U64": "<u8",
}  # fmt: skip


class StaticTable:
    """Vectors by token."""

    def __init__(
        self,
        vectors: NDArray[Any],
        mapping: NDArray[np.int64] | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        """``vectors`` has a row for each token, or for each number in ``mapping``, which has one for each token."""
        self._vectors, self._mapping, self._weights = vectors, mapping, weights
        self.dimensions = int(vectors.shape[1])
        self.tokens = len(vectors) if mapping is None else len(mapping)
        if weights is not None:
            self.tokens = min(self.tokens, len(weights))

    def sum(self, tokens: NDArray[np.int64], total: NDArray[np.float32]) -> None:
        """Set ``total`` to the sum of what the tokens stand for."""
        found = self._vectors[tokens if self._mapping is None else self._mapping[tokens]]
        if self._weights is not None:
            found = found.astype(np.float32) * self._weights[tokens][:, np.newaxis]
        np.add.reduce(found, axis=0, dtype=np.float32, out=total)


def read_table(file: Path) -> StaticTable:
    """The table in a file of tensors. Raises ``ConfigError``, and whatever the library raises for a broken file."""
    from safetensors import safe_open

    with safe_open(file, "numpy") as tensors:  # it sees to it that the file is whole
        names = list(tensors.keys())
    name = next((name for name in _NAMES if name in names), names[0] if len(names) == 1 else None)
    if name is None:
        raise ConfigError(
            f"embedding_model: {file} holds no table of vectors ({len(names)} tensors, none called {_NAMES[0]}).",
            "Choose a static model; one that has layers needs a server, and embedding_base_url.",
        )
    header, start = _header(file)
    vectors = _tensor(file, header, start, name)
    if vectors.ndim != 2 or not vectors.size:
        raise ConfigError(f"embedding_model: {file} holds no table of vectors.", "Choose a static model.")
    mapping = _tensor(file, header, start, "mapping").reshape(-1).astype(np.int64) if "mapping" in names else None
    weights = _tensor(file, header, start, "weights").reshape(-1).astype(np.float32) if "weights" in names else None
    if mapping is not None and mapping.size and not (mapping.min() >= 0 and mapping.max() < len(vectors)):
        raise ConfigError(
            f"embedding_model: in {file} tokens are mapped to row {int(mapping.max()):,} of {len(vectors):,}.",
            "Copy the model again, or set embedding_model = static.",
        )
    return StaticTable(vectors, mapping, weights)


def _header(file: Path) -> tuple[Mapping[str, Any], int]:
    """What a file of tensors says of them, and where they begin.

    The length of the header in 8 bytes, the header as JSON, the tensors (https://github.com/huggingface/safetensors).
    """
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        return json.loads(opened.read(length)), 8 + length


def _tensor(file: Path, header: Mapping[str, Any], start: int, name: str) -> NDArray[Any]:
    about = header[name]
    kind, shape, first = about["dtype"], tuple(about["shape"]), start + about["data_offsets"][0]
    if 0 in shape:
        return np.zeros(shape, np.float32)
    if kind == "BF16":  # the upper half of single precision
        halves = np.memmap(file, "<u2", "r", first, shape)
        return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if kind not in _KINDS:
        raise ConfigError(
            f"embedding_model: {file} holds {name} as {kind}, which is not read.", "Save it as F16 or F32."
        )
    return np.ascontiguousarray(np.memmap(file, _KINDS[kind], "r", first, shape))
