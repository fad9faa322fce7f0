"""Common applications that the planner knows: which categories they have, and what people ask in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from dsbuilder_tui.offline.planner.naming import singular, slug, words_of

LANGUAGES = ("English", "Spanish", "German", "French")


@dataclass(frozen=True, slots=True)
class ApplicationTopic:
    """A kind of application."""

    name: str
    categories: tuple[str, ...]


class Topics:
    """The packaged knowledge; read once, by the one who makes it."""

    def __init__(self) -> None:
        text = resources.files("dsbuilder_tui.offline.planner").joinpath("topics.yaml").read_text(encoding="utf-8")
        known: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.axes: dict[str, list[str]] = known["axes"]
        self._domains = known["domains"]
        self._categories = known["categories"]
        self._by_alias = {
            _normal(alias): name
            for name, entry in self._categories.items()
            for alias in (*entry["also"], name.replace("_", " "))
        }
        aliases = [(alias, name) for name, entry in self._domains.items() for alias in entry["also"]]
        self._domain_aliases = sorted(aliases, key=lambda pair: -len(pair[0]))
        #: Ways to name one category that hold an "and", which must not split a list.
        self.joined = tuple(
            alias for entry in self._categories.values() for alias in entry["also"] if " and " in f" {alias} "
        )

    @property
    def names(self) -> list[str]:
        """The categories it knows, as words."""
        return [name.replace("_", " ") for name in self._categories]

    def domain(self, phrase: str) -> ApplicationTopic | None:
        """The kind of application that a phrase such as ``hotel booking assistant`` names."""
        for alias, name in self._domain_aliases:
            if re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", phrase.lower()):
                return ApplicationTopic(name, tuple(self._domains[name]["about"]))
        return None

    def knows(self, phrase: str) -> bool:
        """Whether a phrase names a category."""
        return _normal(phrase) in self._by_alias

    def category(self, phrase: str, count: int, language: str = "English") -> dict[str, Any]:
        """A category for what a person called it, as a plan holds it; examples in ``language`` where there are any."""
        words = words_of(phrase)
        entry = self._categories.get(self._by_alias.get(_normal(phrase), ""))
        if entry is None:
            return {
                "name": slug(phrase), "description": f"Messages about {words}", "count": count,
                "example_inputs": _made(words), "expectations": {"guidelines":
                    f"Answers the request about {words} correctly."
                },
                "attributes": {},
            }  # fmt: skip
        examples = entry["examples"] if language == "English" else entry.get(language, [])
        return {
            "name": slug(phrase), "description": entry["description"], "count": count,
            "example_inputs": list(examples), "expectations": dict(entry["expectations"]), "attributes": {},
        }  # fmt: skip


def _normal(phrase: str) -> str:
    return " ".join(singular(word) for word in re.findall(r"[\w&]+", phrase.lower()))


def _made(words: str) -> list[str]:
    """What people ask about something that nobody told us more of."""
    return [f"I have a question about {words}", f"Can you help me with {words}?", f"Who do I talk to about {words}?"]
