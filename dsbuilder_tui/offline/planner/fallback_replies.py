"""Replies of the planner when there is nothing to call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import forms, singular, words_of
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions
from dsbuilder_tui.offline.planner.planning_context import PlanningContext

_EXAMPLES = ("refunds", "product info")  # the categories in the table's sentences
_EXAMPLE = re.compile(rf"\b(?:{'|'.join(_EXAMPLES)})\b")
_NO_LIKENESS = frozenset(
    "a an the it is of to in for and or me my i you do can could please some this that with".split()
)


def not_understood(heard: str = "", situation: PlanningContext | None = None) -> str:
    """What the planner can do, in three lines; after something was said one line with the two nearest sentences."""
    table = intent_table()
    if not heard.strip():
        return table.reply("help")
    base = situation.base if situation is not None else None
    names = [category.name for category in base.categories] if base is not None else []
    sentences = _about(table.examples, heard, names) if names else table.first_examples
    first, second = nearest(heard, sentences)
    return table.reply("not_understood", first=first, second=second)


def _about(sentences: Sequence[str], heard: str, names: Sequence[str]) -> list[str]:
    """The table's sentences with categories of the plan in place of its own: the one that was spoken of, or the first."""
    own = next((name for name in names if re.search(forms(name), heard, re.IGNORECASE)), names[0])
    other = next((name for name in reversed(names) if name != own), own)
    here = dict(zip(_EXAMPLES, (words_of(own), words_of(other)), strict=True))
    return [_EXAMPLE.sub(lambda found: here[found.group()], sentence) for sentence in sentences]


def nearest(heard: str, sentences: Sequence[str]) -> tuple[str, str]:
    """The two of at least two sentences that share most words with what was said; among equals, the first ones."""
    said = _content_words(heard)

    def likeness(sentence: str) -> float:
        words = _content_words(sentence)
        return 2 * len(said & words) / ((len(said) + len(words)) or 1)

    ranked = sorted(sentences, key=likeness, reverse=True)  # stable: the table's order among equals
    return ranked[0], ranked[1]


def _content_words(text: str) -> frozenset[str]:
    """The words that say what a sentence is about, as singulars."""
    return frozenset(singular(word) for word in re.findall(r"[^\W\d_]+", text.lower()[:2000])) - _NO_LIKENESS


def small_words(text: str, situation: PlanningContext) -> str | None:
    """The answer to a greeting, thanks, a call for help, or a no with nothing to refuse."""
    table = intent_table()
    text = text.strip(" .!,?…") if text.strip() != "?" else "?"
    name = next((n for n in ("help", "greeting", "thanks", "refusal") if table.phrase(n).fullmatch(text)), None)
    if name == "greeting" and (base := situation.base) is not None:
        return table.reply("greeting_planned", dataset=base.dataset_name, cases=base.total_instances)
    if name is not None:
        return table.reply(name)
    base = situation.base
    if _is_other_language(text):
        return table.reply("other_language")
    if base and any(re.search(forms(c.name), text, re.IGNORECASE) for c in base.categories):
        return None  # what names a category is about that
    talk = next((one for one in table.small_talk if one.says.fullmatch(text)), None)
    if talk is not None:
        return talk.reply if base is None else talk.planned
    return _meaning(text, situation) or None


def _meaning(text: str, situation: PlanningContext) -> str:
    """What the word means that is asked about; empty when no such thing is asked."""
    table = intent_table()
    if (asked := table.phrase("asks_meaning").fullmatch(text)) is None:
        return ""
    word = asked["word"]
    entry = next((one for one in table.glossary if one.words.fullmatch(word) and (one.why or not asked["why"])), None)
    if entry is None and (named := PlanMentions((), situation.axes).value(word)) is not None and not asked["why"]:
        return table.reply("means_value", value=named[1], axis=named[0])
    return entry.means if entry else ""


def _is_other_language(text: str) -> bool:
    """Whether a text has words of another language and none of English. One alone may be a name."""
    table = intent_table()
    words = {found.group().lower() for found in table.phrase("other_language").finditer(text)}
    return len(words) > 1 and not table.phrase("english").search(text)


def says_yes(text: str) -> bool:
    """Whether a text is a yes and nothing else."""
    return bool(intent_table().phrase("agreement").fullmatch(text.strip(" .!,")))
