"""Texts as vectors: a table of word vectors, averaged. Offline, a few dozen microseconds a sentence, no network ever.

The built-in table is WordLlama's (MIT; 256 dimensions, trained by distilling sentence similarity into token vectors,
https://github.com/dleemiller/WordLlama), read from its installed files: its own loader may ask a server for them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.thresholds import static_model
from dsbuilder_tui.domain.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
_MOST_CHARACTERS = 8000  # of a text that are looked at


class Embedder(Protocol):
    """``name`` is recorded with the vectors: others' cannot be compared with them."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, each of length 1, or 0 where there is nothing to go by. Called from one thread at a time."""


class StaticEmbedder:
    """A table of token vectors and its tokenizer. A text's vector does not depend on the texts beside it."""

    def __init__(self, name: str, table: NDArray[Any], tokenizer: Tokenizer) -> None:
        self.name = name
        # Half precision, as in the file: the table is looked up, and summed in single precision.
        self._table = np.ascontiguousarray(table, dtype=np.float16)
        self._tokenizer = tokenizer
        self.dimensions = int(self._table.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        encode, most = self._tokenizer.encode, len(self._table) - 1
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for place, text in enumerate(texts):
            ids = encode(text[:_MOST_CHARACTERS], add_special_tokens=False).ids
            if ids:
                known = np.minimum(np.array(ids, np.int64), most)
                np.add.reduce(self._table[known], axis=0, dtype=np.float32, out=rows[place])
        return unit(rows)


def unit(rows: Vectors) -> Vectors:
    """Rows scaled to length 1; rows of zeros, and rows that are no numbers, become zeros."""
    rows = np.nan_to_num(rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-12)
    return scaled


@cache  # 16 MB that nobody changes, and a tenth of a second
def built_in_embedder() -> StaticEmbedder:
    """The table that comes with dsbuilder."""
    spec = find_spec("wordllama")
    if spec is None or not spec.origin:
        raise ConfigError(
            "The built-in embedding model is not installed.", "Install wordllama, or set embedding_model."
        )
    folder = Path(spec.origin).parent
    return _load(
        f"wordllama {version('wordllama')}",
        folder / "weights" / "l2_supercat_256.safetensors",
        folder / "tokenizers" / "l2_supercat_tokenizer_config.json",
    )


def local_embedder(name: str) -> StaticEmbedder | None:
    """The embedder that the setting ``embedding_model`` names; None when it is a model of an endpoint.

    Raises ``ConfigError``.
    """
    if name == "static":
        return built_in_embedder()
    return folder_embedder(Path(name)) if static_model(name) else None


def folder_embedder(folder: Path) -> StaticEmbedder:
    """A static model in a folder, as model2vec writes them: ``model.safetensors`` and ``tokenizer.json``.

    Raises ``ConfigError`` naming what is missing or does not fit.
    """
    folder = folder.expanduser().absolute()
    for name in ("model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ConfigError(
                f"embedding_model: {folder} has no {name}.",
                "Name a folder with a static model (model2vec's format), or set embedding_model = static.",
            )
    weights = folder / "model.safetensors"
    size = weights.stat()
    return _load(f"{folder.name} {size.st_size}-{size.st_mtime_ns}", weights, folder / "tokenizer.json")


def _mapped(weights: Path, key: str) -> NDArray[np.float16] | None:
    """A table of half precision where it lies in its file: in memory is only what is looked up. None for other tables.

    The format: the length of the header in 8 bytes, the header as JSON, the tensors (https://github.com/huggingface/safetensors).
    """
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[key]
    if entry["dtype"] != "F16":
        return None
    return np.memmap(weights, np.float16, "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))


def _load(name: str, weights: Path, tokens: Path) -> StaticEmbedder:
    from safetensors import safe_open
    from tokenizers import Tokenizer

    try:
        with safe_open(weights, "numpy") as tensors:
            keys = list(tensors.keys())
            key = next((k for k in ("embeddings", "embedding.weight") if k in keys), keys[0])
            table = _mapped(weights, key)
            if table is None:
                table = tensors.get_tensor(key)
        tokenizer = Tokenizer.from_file(str(tokens))
    except Exception as error:  # the libraries raise what they like
        raise ConfigError(
            f"embedding_model: {weights.parent} cannot be read ({error}).",
            "Copy the model again, or set embedding_model = static.",
        ) from None
    if table.ndim != 2 or not table.size:
        raise ConfigError(f"embedding_model: {weights} holds no table of vectors.", "Choose a static model.")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return StaticEmbedder(name, table, tokenizer)
