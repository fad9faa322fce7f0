"""A clause with the plan's categories marked in it; what every kind of change needs."""

from __future__ import annotations

import re
from typing import Any

from dsbuilder_tui.offline.planner.clauses import PlanChanges
from dsbuilder_tui.offline.planner.counts import MOST_CASES
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug, words_of
from dsbuilder_tui.offline.planner.topics import Topics
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

_FIRST = 0xF000
_LAST = 0xF7FF
MENTION = f"[{chr(_FIRST)}-{chr(_LAST)}]"  # of one category
C = f"({MENTION})"
PHRASE = rf"((?:[^,;\n]|(?<=\d),(?=\d))+?|{MASK})"
MANY = rf"(?:the )?{C}((?: ?(?:,|and|&)+ ?(?:the )?[{chr(_FIRST)}-{chr(_LAST)}])*)"
HOW_MUCH = r"(-?\d+(?:/\d+|(?:\.\d+)?%)?)"
MORE = r"(?:more|additional|extra|further|another)"


class CategoryMentions:
    """Reads and changes the categories of one plan for the clauses of one message."""

    def __init__(self, changes: PlanChanges, heard: Utterance, topics: Topics, examples: tuple[str, ...]) -> None:
        self._c = changes
        self._heard = heard
        self._topics = topics
        self._examples = examples

    def _marked(self, clause: str) -> str:
        """The clause with one private character for each mention of a category, and for "them" and "it"."""
        order = sorted(range(len(self._c.names)), key=lambda i: -len(self._c.names[i]))
        for at in order[: _LAST - _FIRST]:
            clause = re.sub(forms(self._c.names[at]), chr(_FIRST + at), clause, flags=re.IGNORECASE)
        clause = re.sub(MASK, lambda f: self._mention(f.group()), clause)
        mentions = [ord(c) - _FIRST for c in clause if _FIRST <= ord(c) <= _LAST]
        if not mentions and self._c.last is not None and self._c.last < len(self._c.names):
            clause = re.sub(r"\b(?:them|those|these)\b", chr(_FIRST + self._c.last), clause, flags=re.IGNORECASE)
        elif not mentions and len(self._c.names) == 1:
            clause = re.sub(r"\b(?:them|those|these)\b", chr(_FIRST), clause, flags=re.IGNORECASE)
        if mentions:
            self._c.last = mentions[-1]
        return " ".join(clause.split())

    def _mention(self, mask: str) -> str:
        """A quotation that is a category's name is a mention of it."""
        name = slug(self._heard.piece(mask)) if self._heard.quoted(mask) else ""
        if not name:
            return mask
        names = [slug(n) for n in self._c.names]
        return chr(_FIRST + names.index(name)) if name in names else mask

    def _of(self, mention: str) -> dict[str, Any]:
        return self._c.categories[ord(mention) - _FIRST]

    def _words(self, text: str) -> str:
        text = re.sub(C, lambda f: self._of(f.group())["name"].replace("_", " "), text)
        return bare_phrase(self._heard.full(text))

    def _say(self, problem: str) -> bool:
        self._c.problem = self._c.problem or problem
        return True

    def _change(self) -> bool:
        self._c.done = True
        return True

    def _count(self, category: dict[str, Any], number: int) -> bool:
        if number < 1:
            return self._say(
                f"{category['name']} needs at least 1 case; to be without it, say “remove "
                f"{category['name'].replace('_', ' ')}”."
            )
        if number > MOST_CASES:
            return self._say(f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}.")
        category["count"] = number
        return self._change()

    def _unknown(self, words: str) -> str:
        return (
            f"There is no category called {words_of(self._words(words)) or 'that'}; there are "
            f"{', '.join(self._c.names[:20])}."
        )
