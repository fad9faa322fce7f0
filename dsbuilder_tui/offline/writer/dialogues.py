"""Phrases of conversations and scenarios, out of ``dialogues.toml``."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from dsbuilder_tui.offline.writer.languages import ENGLISH


@cache
def _bank() -> dict[str, Any]:
    text = resources.files("dsbuilder_tui.offline.writer").joinpath("dialogues.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Dialogue:
    """One of several ways to say a thing, in a language. English where there are no phrases in it."""

    def __init__(self, language: str, rng: random.Random) -> None:
        said = _bank()["conversation"]
        self._phrases: Mapping[str, Any] = said.get(language, said[ENGLISH])
        self._rng = rng

    def __call__(self, kind: str, **values: str) -> str:
        return _filled(self._rng.choice(self._phrases[kind]), values)

    def other_than(self, kind: str, said: list[str]) -> str:
        """One that was not said yet, where there is one."""
        forms = self._phrases[kind]
        return str(self._rng.choice([form for form in forms if form not in said] or forms))


class Direction:
    """One of several ways to tell a simulated user how to act."""

    def __init__(self, rng: random.Random) -> None:
        self._phrases: Mapping[str, Any] = _bank()["scenario"]
        self._rng = rng

    def __call__(self, kind: str, **values: str) -> str:
        return _filled(self._rng.choice(self._phrases[kind]), values)

    def of_tone(self, tone: str) -> list[str]:
        """How a tone shows; none for a neutral one."""
        forms = self._phrases["tone"].get(tone)
        return [self._rng.choice(forms)] if forms else []

    def any(self, number: int) -> list[str]:
        """Rules that go with any goal."""
        return self._rng.sample(self._phrases["any"], number)


def _filled(form: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        form = form.replace("{" + name + "}", value)
    return form
