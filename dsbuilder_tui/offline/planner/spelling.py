"""Misspelt words, read as the names of the plan or as words that the tables know: “refnuds”, “expotr”."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dsbuilder_tui.offline.planner.naming import singular

_WORD = re.compile(r"(?<![\w/.#@-])[^\W\d_]{4,24}(?![\w/@-])")
_LEAST_NAME = 5  # letters of a name that is looked for among others' words
_LEAST_OTHER_LETTER = 7  # letters from which one of them may be another
_MOST_WORDS = 60  # of a message; what is longer was written with care, or is no wish


def respelled_names(said: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A message with the misspelt words of these names put right (a letter swapped, left out or doubled), and what was read as
    what. A word that is another's is left: “cards” beside a category “carts” is none that is misspelt."""
    parts = {part for name in names for part in re.split(r"[\W\d_]+", name.lower()) if len(part) >= _LEAST_NAME}
    return _respelled(said, parts | {singular(part) for part in parts}, other_letter=False)


def respelled(said: str, names: Sequence[str], known: Iterable[str]) -> tuple[str, dict[str, str]]:
    """A message that was not understood, with misspelt words put right, and what was read as what."""
    parts = {part for name in names for part in re.split(r"[\W\d_]+", name.lower()) if len(part) >= _LEAST_NAME}
    return _respelled(said, parts | {singular(part) for part in parts} | set(known), other_letter=True)


def _respelled(said: str, words: set[str], *, other_letter: bool) -> tuple[str, dict[str, str]]:
    read: dict[str, str] = {}
    if not words or said.count(" ") > _MOST_WORDS:
        return said, read

    def right(found: re.Match[str]) -> str:
        word = found.group().lower()
        if word in words or singular(word) in words:
            return found.group()
        likely = sorted(one for one in words if one[0] == word[0] and _is_slip(word, one, other_letter=other_letter))
        if not likely:
            return found.group()
        read[found.group()] = likely[0]
        return likely[0]

    return _WORD.sub(right, said), read


def _is_slip(word: str, meant: str, *, other_letter: bool) -> bool:
    """Whether a word is another with two neighbours swapped, one letter missing or too many; with ``other_letter`` also one
    with another letter, where it is long."""
    if word == meant or abs(len(word) - len(meant)) > 1:
        return False
    if len(word) == len(meant):
        differ = [at for at in range(len(word)) if word[at] != meant[at]]
        if len(differ) == 2 and differ[1] == differ[0] + 1:
            return word[differ[0]] == meant[differ[1]] and word[differ[1]] == meant[differ[0]]
        return other_letter and len(differ) == 1 and len(word) >= _LEAST_OTHER_LETTER
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    at = next((at for at in range(len(shorter)) if longer[at] != shorter[at]), len(shorter))
    if longer[:at] + longer[at + 1 :] != shorter:
        return False
    # A plural is no slip of its singular.
    return not (at == len(shorter) and longer.endswith("s"))
