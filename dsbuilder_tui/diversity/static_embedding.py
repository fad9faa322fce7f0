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
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.static_table import StaticTable, read_table
from dsbuilder_tui.diversity.thresholds import static_model
from dsbuilder_tui.domain.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
_MOST_CHARACTERS = 8000  # of a text that are looked at
_TENSORS, _TOKENS = "model.safetensors", "tokenizer.json"
_PLACES = ("", "0_StaticEmbedding")  # where the two lie in a folder


class Embedder(Protocol):
    """``name`` is recorded with the vectors: others' cannot be compared with them."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, each of length 1, or 0 where there is nothing to go by. Called from one thread at a time."""


class StaticEmbedder:
    """A table of token vectors and its tokenizer. A text's vector does not depend on the texts beside it.

    It is the direction of the mean of its tokens' vectors, so how long that is, and whether a model's settings ask for length
    1, is all one; and since a mean may be one of any number of tokens, a limit of tokens that was set for speed does not hold.
    """

    def __init__(self, name: str, table: StaticTable, tokenizer: Tokenizer, unknown: int | None = None) -> None:
        """``unknown`` is a token that says nothing of a text."""
        self.name = name
        self._table, self._tokenizer, self._unknown = table, tokenizer, unknown
        self.dimensions = table.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        encode = self._tokenizer.encode
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for place, text in enumerate(texts):
            ids = np.array(encode(text[:_MOST_CHARACTERS], add_special_tokens=False).ids, np.int64)
            if self._unknown is not None:
                ids = ids[ids != self._unknown]
            if len(ids):
                self._table.sum(ids, rows[place])
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
    table = _table(folder / "weights" / "l2_supercat_256.safetensors")
    tokenizer = _tokenizer(folder / "tokenizers" / "l2_supercat_tokenizer_config.json")
    return StaticEmbedder(built_in_name(), table, tokenizer)


@cache
def built_in_name() -> str:
    """The name of the built-in embedder, without reading it."""
    return f"wordllama {version('wordllama')}"


def local_embedder(name: str) -> StaticEmbedder | None:
    """The embedder that the setting ``embedding_model`` names; None when it is a model of an endpoint.

    Raises ``ConfigError``.
    """
    if name == "static":
        return built_in_embedder()
    return folder_embedder(Path(name)) if static_model(name) else None


def folder_embedder(folder: Path) -> StaticEmbedder:
    """A static model in a folder, as model2vec and sentence-transformers write them: tensors and a tokenizer.

    Tokens that the tokenizer does not know are left out, as model2vec does. Raises ``ConfigError`` naming what is missing or
    does not fit.
    """
    folder = folder.expanduser().absolute()
    place = next((inner for part in _PLACES if (inner := folder / part / _TENSORS).is_file()), folder / _TENSORS).parent
    weights, tokens = place / _TENSORS, place / _TOKENS
    for file in (weights, tokens):
        if not file.is_file():
            raise ConfigError(
                f"embedding_model: {folder} has no {file.name}.",
                "Name a folder with a static model (model2vec's format), or set embedding_model = static.",
            )
    table, tokenizer = _table(weights), _tokenizer(tokens)
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if table.tokens <= highest:
        raise ConfigError(
            f"embedding_model: {folder} has vectors for {table.tokens:,} tokens, and its tokenizer {highest + 1:,}.",
            "The files belong to different models, or some are missing: copy the model again.",
        )
    sizes = " ".join(f"{size.st_size}-{size.st_mtime_ns}" for size in (weights.stat(), tokens.stat()))
    return StaticEmbedder(f"{folder.name} {sizes}", table, tokenizer, _unknown_token(tokenizer))


def _unknown_token(tokenizer: Tokenizer) -> int | None:
    """The token that stands for whatever a tokenizer does not know."""
    model = json.loads(tokenizer.to_str())["model"]
    number = model.get("unk_id")
    if number is None and (token := model.get("unk_token")) is not None:
        number = tokenizer.token_to_id(token)
    return None if number is None else int(number)


def _table(weights: Path) -> StaticTable:
    try:
        return read_table(weights)
    except ConfigError:
        raise
    except Exception as error:  # the libraries raise what they like
        raise _unreadable(weights, error) from None


def _tokenizer(file: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises what it likes
        raise _unreadable(file, error) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    # Where nothing splits a text into words the library keeps the tokens of 10,000 whole texts, 2.8 KB each; none comes twice.
    resize = getattr(tokenizer.model, "_resize_cache", None)
    if tokenizer.pre_tokenizer is None and resize is not None:
        resize(0)
    return tokenizer


def _unreadable(file: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"embedding_model: {file.parent} cannot be read ({error}).",
        "Copy the model again, or set embedding_model = static.",
    )
