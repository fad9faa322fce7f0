"""Questions about passages of documents, made without a model: what is asked for is a sentence that stands there."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.passage import Passage

# Lines of a paragraph belong together; the items of a list, the rows of a table and headings do not.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]?\s+|\n\s*\n|\n(?=\s*(?:[-*+•#|>$]|\d{1,3}[.)]\s))")
_MARKER = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|#+|>)\s+")
_MARKUP = re.compile(r"[{}\[\]<>|`=_#]|\*")
_WORD = re.compile(r"[^\W\d_]{4,}(?:[-'][^\W\d_]+)?")
# What stands behind one of these is mostly a thing.
_THING = re.compile(
    rf"\b(?:the|an?|of|each|every|no|any|all|its|their|your|for) ({_WORD.pattern})\b(?! {_WORD.pattern})", re.IGNORECASE
)
_SHORTEST, _LONGEST, _LEAST_WORDS = 30, 320, 5
_SMALL = frozenset(
    "about above after again against also always another anything around because been before being below between both "
    "cannot could does doing during each either else enough even every following from further have having here into just "
    "less like made make many more most much must never none nothing only other ours over same shall should since some "
    "such than that their them then there these they this those through under until upon very want well were what when "
    "where whether which while will with within without would your yours".split()
)
_ASK = (
    "What should I know about {topic}, in particular about {words}?",
    "How is it with {topic} when it comes to {words}?",
    "Can you tell me what applies to {topic}? It is about {words}.",
    "I have a question about {topic}: what is the rule on {words}?",
    "What do you say about {words}? I mean {topic}.",
)
_ASK_BOTH = (
    "How do {topic} and {other} go together? I mean {words} here and {more} there.",
    "I need to know two things: what applies to {words} under {topic}, and what about {more} under {other}?",
    "What holds for {topic}, in particular {words}, and what for {other}, in particular {more}?",
)
_ASK_UNKNOWN = (
    "Who decided about {topic}, in particular about {words}, and on which day?",
    "How many people have asked about {words} this year? I mean {topic}.",
    "Is {topic} going to be the same in ten years, also for {words}?",
    "What did {topic} look like before, when {words} was another matter?",
)


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """``quotes`` are sentences of the passages, word for word: the answer. They are empty for what nobody can answer."""

    text: str
    quotes: tuple[str, ...] = ()


def document_question(passages: Sequence[Passage], answerable: bool, rng: random.Random) -> DocumentQuestion:
    """A question in English about some passages, in so many words."""
    chosen = [(passage, _sentence(passage, rng)) for passage in passages]
    (passage, sentence), *others = chosen
    values = {"topic": _topic(passage, sentence), "words": _words(sentence, rng)}
    if not answerable:
        return DocumentQuestion(rng.choice(_ASK_UNKNOWN).format(**values))
    if others:
        values |= {"other": _topic(*others[0]), "more": " and ".join(_words(other, rng) for _, other in others)}
    form = rng.choice(_ASK_BOTH if others else _ASK)
    return DocumentQuestion(form.format(**values), tuple(sentence for _, sentence in chosen))


def _sentence(passage: Passage, rng: random.Random) -> str:
    """A sentence that says something by itself; where there is none, the longest piece of the text."""
    pieces = [" ".join(_MARKER.sub("", piece).split()) for piece in _SENTENCE_END.split(passage.text)]
    if found := list(filter(_says_something, pieces)):
        return rng.choice(found)
    return max(pieces, key=len)[:_LONGEST].strip()


def _says_something(sentence: str) -> bool:
    whole = sentence.endswith((".", "!")) and sentence[:1].isupper()
    long_enough = _SHORTEST <= len(sentence) <= _LONGEST and len(sentence.split()) >= _LEAST_WORDS
    return whole and long_enough and not _MARKUP.search(sentence)


def _topic(passage: Passage, sentence: str) -> str:
    """The heading above it, as it stands in a sentence; the first of its telling words where it has none."""
    title = passage.heading.rpartition(" › ")[2]
    title = _MARKER.sub("", _MARKUP.sub(" ", title)).strip(" .:?!")
    if not title or title.startswith("page ") or len(title) > 80:
        return next(iter(_telling(sentence)), "this")
    title = title[:1].lower() + title[1:] if title[1:2].islower() else title
    return title if " " not in title else f"“{title}”"


def _words(sentence: str, rng: random.Random) -> str:
    """Two telling words of a sentence, in its order."""
    words = _plain(_THING.findall(sentence)) or _telling(sentence)
    if not words:
        return "that"
    places = sorted(rng.sample(range(len(words)), min(2, len(words))))
    return " and ".join(words[place] for place in places)


def _telling(sentence: str) -> list[str]:
    return _plain(_WORD.findall(sentence))


def _plain(words: Sequence[str]) -> list[str]:
    """Each word once, as it stands within a sentence; small words are left out."""
    words = [word for word in words if word.casefold() not in _SMALL]
    words = [word if word[1:2].isupper() else word[:1].lower() + word[1:] for word in words]
    return list(dict.fromkeys(words))
