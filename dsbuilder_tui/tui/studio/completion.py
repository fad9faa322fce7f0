"""A completion of what stands in the prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` is the whole prompt once it is taken, ``shown`` what the list calls it, ``words`` what it is."""

    text: str
    shown: str
    words: str = ""
