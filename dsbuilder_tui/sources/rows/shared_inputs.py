"""Inputs that rows share: a passage that many questions are about is no likeness of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import xxhash

from dsbuilder_tui.diversity.normalise import compared_texts
from dsbuilder_tui.sources.rows.row_parts import TEXT_BREAK, Parts, compared_text
from dsbuilder_tui.store.imports.json_values import Unusable

_LONG = 80  # characters on average: what is shorter drowns nothing
_DISTINCT = 0.6  # the most different values a row for what is shared


@dataclass(frozen=True, slots=True)
class SharedInputs:
    """The names of the inputs that are left out of what is compared. Rows are held against those that share them."""

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Parts]) -> SharedInputs:
        """Those of a file's first rows: long ones that come again and again, while another input differs."""
        names = dict.fromkeys(name for parts in rows for name in parts.inputs)
        if len(names) < 2 or len(rows) < 2:
            return cls()
        shared, telling = [], False
        for name in names:
            texts = [_text(parts, (name,)) for parts in rows if name in parts.inputs]
            is_shared = len(set(texts)) <= max(1, int(_DISTINCT * len(texts))) and len(texts) > 1
            if is_shared and sum(map(len, texts)) >= _LONG * len(texts):
                shared.append(name)
            elif not is_shared:
                telling = True
        return cls(tuple(shared)) if telling else cls()

    def without(self, parts: Parts) -> Parts:
        """The parts with the text of the other inputs alone; as they are when nothing else is in them."""
        there = [name for name in self.names if name in parts.inputs]
        if not there:
            return parts
        rest = {name: value for name, value in parts.inputs.items() if name not in there}
        try:
            text = compared_text(rest, "inputs")
        except Unusable:
            return parts
        return replace(
            parts, text=text, shared=xxhash.xxh3_64_hexdigest(_text(parts, there).encode("utf-8", "replace"))
        )


def _text(parts: Parts, names: Iterable[str]) -> str:
    return TEXT_BREAK.join(text for name in names for text in compared_texts(parts.inputs[name]))
