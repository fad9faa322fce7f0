"""Vectors out of an endpoint's answer, in whatever shape it gives them.

As OpenAI does (``data``, each with ``index`` and ``embedding``, as numbers or as base64), and as Ollama, Cohere, Gemini, Text
Embeddings Inference and llama.cpp's own address do: a list of vectors, or of objects that hold one, under other names or none.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from typing import Any

import orjson

from dsbuilder_tui.domain.plain_words import counted

_LISTS = ("data", "embeddings", "vectors", "predictions", "embedding", "float")
_VECTORS = ("embedding", "values", "vector", "embeddings", "float")
_OTHERS = "Is it an embedding model? Name another with embedding_model, or use static."

Vector = list[float]


class UnusableVectors(Exception):
    """What came is not one vector a text. ``problem`` goes on from who gave it; ``hint`` is the way out."""

    def __init__(self, problem: str, hint: str = _OTHERS) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def read_vectors(answer: Any, count: int) -> list[Vector | None]:
    """One vector a text, in the order of the texts; None where its numbers are none (NaN). Raises ``UnusableVectors``."""
    items = _in_order(_items(answer))
    vectors = [_vector(item) for item in items]
    if len(vectors) != count:
        came, asked = counted(len(vectors), "vector"), counted(count, "text")
        raise UnusableVectors(f"answers with {came} for {asked}, not with one vector a text")
    return vectors


def loads_numbers(body: bytes) -> Any:
    """JSON, also with numbers that are none in it. None when it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)  # NaN is no JSON, and many write it
    except (ValueError, RecursionError):
        return None


def _items(answer: Any) -> list[Any]:
    found = answer
    while isinstance(found, dict):
        found = next((found[name] for name in _LISTS if name in found), None)
    if isinstance(found, str) or (isinstance(found, list) and found and _is_number(found[0])):
        return [found]  # one vector, for one text
    if not isinstance(found, list):
        raise UnusableVectors("does not answer with one vector a text")
    return found


def _in_order(items: list[Any]) -> list[Any]:
    """By their index where they have one of their own each; as they came where that is missing, or the same for all."""
    places: dict[int, Any] = {}
    for item in items:
        index = item.get("index") if isinstance(item, dict) else None
        if isinstance(index, str) and index.isdecimal():
            index = int(index)
        if isinstance(index, int):
            places[index] = item
    return [places[index] for index in sorted(places)] if len(places) == len(items) else items


def _vector(item: Any) -> Vector | None:
    while isinstance(item, dict):
        item = next((item[name] for name in _VECTORS if name in item), None)
    if isinstance(item, list) and item and isinstance(item[0], list):
        if len(item) > 1:
            raise UnusableVectors(
                "answers with a vector for each token of a text, not one for the text",
                "Start the server with pooling (llama.cpp: --pooling mean), or set embedding_model to static.",
            )
        item = item[0]
    if isinstance(item, str):
        item = _unpacked(item)
    if not isinstance(item, list) or not item or not all(number is None or _is_number(number) for number in item):
        raise UnusableVectors("does not answer with one vector a text")
    # JSON has no word for a number that is none; some say NaN all the same, others null.
    if any(number is None or not math.isfinite(number) for number in item):
        return None
    return [float(number) for number in item]


def _unpacked(text: str) -> list[float] | None:
    """The numbers of single precision in base64."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return list(struct.unpack(f"<{len(data) // 4}f", data)) if len(data) % 4 == 0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
