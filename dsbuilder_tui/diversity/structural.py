"""The structural stage: two cases of a category whose masked texts are the same are the same case."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import xxhash

from dsbuilder_tui.diversity.normalise import compared_texts, normalise
from dsbuilder_tui.diversity.stage import Finding, Match

_SIGN = 1 << 63


def structure_hash(category: str, inputs: Mapping[str, Any]) -> int:
    """A signed 64-bit hash of the masked inputs, the same in every process and on every machine."""
    text = "\x1e".join(normalise(part) for part in compared_texts(inputs))
    return xxhash.xxh3_64_intdigest(f"{category}\x1f{text}".encode("utf-8", "surrogatepass")) - _SIGN


class StructuralStage:
    """Compares with every accepted case, or with the last ``window`` of them. About 100 bytes a case in memory."""

    name = "structural"

    def __init__(self, window: int | None = None) -> None:
        self._seen: dict[int, int] = {}
        self._recent: deque[tuple[int, int]] | None = deque() if window else None
        self._window = window or 0

    def examine(self, category: str, inputs: Mapping[str, Any]) -> Finding:
        key = structure_hash(category, inputs)
        nearest = self._seen.get(key)
        if nearest is None:
            return Finding(key, None)
        return Finding(key, Match(nearest, 1.0, 1.0, "the same text apart from ids, dates, names or other detail"))

    def admit(self, key: int, seq: int) -> None:
        self._seen[key] = seq
        if self._recent is None:
            return
        self._recent.append((key, seq))
        if len(self._recent) > self._window:
            old, old_seq = self._recent.popleft()
            if self._seen.get(old) == old_seq:
                del self._seen[old]
