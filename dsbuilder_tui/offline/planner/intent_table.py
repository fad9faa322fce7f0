"""The table of intents, out of ``intents.yaml``: which words ask for which tool, what is recognised besides, the replies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from dsbuilder_tui.domain.moment_words import MOMENT
from dsbuilder_tui.offline.planner.utterance import MASK

_FRAGMENT = re.compile(r"(?<!\(\?P)<(\w+)>")


@dataclass(frozen=True, slots=True)
class Intent:
    """One row: a clause that ``says`` this asks for ``tool``. ``number`` or ``text`` is the argument that the first group
    found fills; ``reads`` names the reader that makes the arguments where there is more to them.
    """

    tool: str
    says: re.Pattern[str]
    number: str = ""
    text: str = ""
    reads: str = ""


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """What ``says`` something of the app itself, and the answer in words: before a plan, and with one."""

    says: re.Pattern[str]
    reply: str
    planned: str


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """What one of the product's words ``means``; ``why`` when asking why there are so many is asking for that."""

    words: re.Pattern[str]
    means: str
    why: bool


class IntentTable:
    """The packaged table, read once. ``intents`` are in the order in which they are tried; ``examples`` are sentences that
    are understood while there is a plan, ``first_examples`` those before.
    """

    def __init__(self, known: dict[str, Any]) -> None:
        self._fragments = {"piece": MASK, "moment": MOMENT}
        self._fragments |= {name: self._filled(_pieces(value)) for name, value in known["fragments"].items()}
        self.intents = tuple(Intent(**{**row, "says": self._pattern(row["says"])}) for row in known["intents"].values())
        self._phrases = {name: self._pattern(value) for name, value in known["phrases"].items()}
        self._replies: dict[str, str] = known["replies"]
        self.examples: tuple[str, ...] = tuple(known["examples"]["planned"])
        self.first_examples: tuple[str, ...] = tuple(known["examples"]["unplanned"])
        self.formats: dict[str, str] = known["formats"]
        self.small_talk = tuple(
            SmallTalk(says=self._pattern(row["says"]), reply=row["reply"], planned=row.get("planned", row["reply"]))
            for row in known["small_talk"].values()
        )
        self.glossary = tuple(
            GlossaryEntry(words=self._pattern(row["words"]), means=row["means"], why=row.get("why", False))
            for row in known["glossary"].values()
        )
        self.spelling = frozenset(known["spelling"])
        self._how_to = tuple((self._pattern(row["of"]), str(row["say"])) for row in known["how_to"].values())
        self.need_a_plan = frozenset(known["need_a_plan"])
        self.after_a_change = frozenset(known["after_a_change"])

    def phrase(self, name: str) -> re.Pattern[str]:
        """The pattern of something that is recognised besides the intents. Raises ``KeyError`` for an unknown name."""
        return self._phrases[name]

    def how_to_reply(self, what: str) -> str | None:
        """How something is done, for who asks how; None where the table does not say it."""
        return next((say for of, say in self._how_to if of.search(what)), None)

    def reply(self, name: str, /, **values: object) -> str:
        """A sentence of the planner, with these values filled in. Raises ``KeyError`` for an unknown name."""
        return self._replies[name].format(**values) if values else self._replies[name]

    def _pattern(self, value: str | list[Any]) -> re.Pattern[str]:
        text = value if isinstance(value, str) else "|".join(_pieces(one) for one in value)
        return re.compile(self._filled(text), re.IGNORECASE)

    def _filled(self, text: str) -> str:
        return _FRAGMENT.sub(lambda found: self._fragments[found[1]], text)


def _pieces(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


@cache
def intent_table() -> IntentTable:
    """The packaged table."""
    text = resources.files("dsbuilder_tui.offline.planner").joinpath("intents.yaml").read_text(encoding="utf-8")
    return IntentTable(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
