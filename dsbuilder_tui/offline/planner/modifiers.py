"""Modifiers that make some cases of a category different: a language, a mood, a difficulty."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import TURNS
from dsbuilder_tui.offline.planner.counts import spread
from dsbuilder_tui.offline.planner.kind_requests import ENDINGS, kind_in, make_kind
from dsbuilder_tui.offline.planner.naming import bare_phrase, slug
from dsbuilder_tui.offline.planner.topics import LANGUAGES, Topics

_MORE_LANGUAGES = (
    "Italian Portuguese Dutch Polish Turkish Japanese Chinese Mandarin Korean Arabic Russian Hindi Swedish "
    "Danish Norwegian "
    "Finnish Greek Czech Hungarian Romanian Ukrainian Hebrew Thai Vietnamese Indonesian Catalan Bengali Urdu Persian"
)
# As those who speak them write them.
_OWN_NAMES = {
    "deutsch": "German", "español": "Spanish", "espanol": "Spanish", "castellano": "Spanish", "français": "French",
    "francais": "French", "italiano": "Italian", "português": "Portuguese", "portugues": "Portuguese", "nederlands": "Dutch",
    "polski": "Polish", "türkçe": "Turkish", "日本語": "Japanese", "中文": "Chinese", "한국어": "Korean", "العربية": "Arabic",
    "русский": "Russian", "по-русски": "Russian", "हिन्दी": "Hindi", "हिंदी": "Hindi", "svenska": "Swedish", "dansk": "Danish",
    "norsk": "Norwegian", "suomi": "Finnish", "suomeksi": "Finnish", "ελληνικά": "Greek", "čeština": "Czech", "česky": "Czech",
    "magyar": "Hungarian", "română": "Romanian", "українська": "Ukrainian", "українською": "Ukrainian", "עברית": "Hebrew",
    "ไทย": "Thai", "tiếng việt": "Vietnamese", "català": "Catalan", "বাংলা": "Bengali", "اردو": "Urdu", "فارسی": "Persian",
}  # fmt: skip
LANGUAGE_NAMES = "|".join((*LANGUAGES, *_MORE_LANGUAGES.split(), *map(re.escape, _OWN_NAMES)))
_LANGUAGE = re.compile(
    rf"(?<!\w)(?:(?:(?:written|asked|all)? ?in|auf|en|po|på) )?({LANGUAGE_NAMES})(?!\w)(?: (?:language|speaking|speakers?))?\b",
    re.IGNORECASE,
)
JOIN = "\uf8ff"  # stands for an “and” at which no list is cut
_BETWEEN = r"(?:\s*(?:,|/|&)\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+)"
# “in English and German”; a list of them without the “in” may be one of categories
_LANGUAGES = re.compile(
    r"(?<!\w)(?:(?:half )?(?:written|asked|all)? ?in|auf) (?:both |each of |(?:the |\d+ )?languages?:? )?"
    rf"(?P<values>(?:{LANGUAGE_NAMES})(?:{_BETWEEN}(?:in )?(?:{LANGUAGE_NAMES}))+)(?!\w)",
    re.IGNORECASE,
)
# words, the name's ending, the axis and its values
_KINDS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        r"angr(?:y|ier|ily)|furious|mad|rude(?:r)?|frustrated|annoyed|upset"
    , "angry", "tone", ("angry", "frustrated", "impatient")),
    (r"impatient|urgent|hurried|in a hurry", "urgent", "tone", ("impatient", "in a hurry")),
    (r"(?:more |very )?polite(?:r|ly)?|courteous|nicer|kinder", "polite", "tone", ("polite", "formal")),
    (r"(?:more |very )?formal(?:ly)?|businesslike", "formal", "tone", ("formal", "polite")),
    (r"(?:more )?(?:casual|friendl(?:y|ier)|cheerful|informal|happier)", "casual", "tone", ("cheerful", "casual")),
    (r"neutral", "neutral", "tone", ("neutral",)),
    (r"(?:more )?(?:confused|confusing|unsure)", "confused", "tone", ("confused", "worried")),
    (r"(?:more )?(?:worried|anxious|scared|nervous)", "worried", "tone", ("worried", "polite")),
    (
        r"(?:more )?(?:adversarial|hostile|malicious)|jailbreaks?|(?:with )?prompt injections?"
    , "adversarial", "situation", ("adversarial",)),
    (r"out[ -]of[ -]scope|off[ -]topic", "out_of_scope", "situation", ("out of scope",)),
    (r"(?:more )?(?:ambiguous|vague(?:r)?|unclear)", "ambiguous", "situation", ("ambiguous",)),
    (
        r"(?:with )?(?:several|multiple|more than 1) intents?|multi[ -]intent"
    , "several_intents", "situation", ("several intents",)),
    (
        r"(?:with )?missing (?:information|info|details?|data)|incomplete"
    , "missing_information", "situation", ("missing information",)),
    (r"(?:with |full of )?(?:typos?|misspellings?|spelling mistakes)", "typos", "situation", ("typos",)),
    (
        r"(?:more |very )?(?:hard(?:er)?|difficult|tricky|trickier|challenging)|edge cases?|(?:more )?complex"
    , "hard", "situation",
     ("ambiguous", "several intents", "missing information")),
    (r"(?:more |very )?(?:easy|easier|straightforward)", "easy", "situation", ("ordinary",)),
    (r"(?:more |very )?(?:short(?:er)?|brief(?:er)?|terse)", "short", "length", ("short",)),
    (r"(?:more |very )?(?:long(?:er)?|detailed|verbose)", "long", "length", ("long",)),
)  # fmt: skip
_DIFFICULTIES = frozenset(("easy", "medium", "hard"))
# What is a tone beside others only: “calm and angry”.
_TONES_AMONG = r"calm|happy|sad|cheerful|sarcastic|enthusiastic|disappointed|grateful|excited|friendly"
_MEDIUM = "medium"  # a length between “short” and “long”, and a difficulty between “easy” and “hard”
_AMONG = (
    *((words, axis, values[0]) for words, _, axis, values in _KINDS),
    (_TONES_AMONG, "tone", ""),
    (_MEDIUM, "", _MEDIUM),
)
_ONE = "|".join(f"(?:{words})" for words, _, _ in _AMONG)
_MANNERS = re.compile(rf"(?<![\w-])(?:{_ONE})(?:{_BETWEEN}(?:{_ONE}))+(?![\w-])", re.IGNORECASE)
_MANNER = re.compile(r"\s*(?:tone|style|voice|manner|mood|way)\b", re.IGNORECASE)
# What may also be a category of its own: "10 adversarial cases".
OWN_CATEGORIES = ("adversarial", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Modifier:
    """``ending`` goes into a category's name; ``values`` are what ``axis`` is held to; ``kind`` is that of the cases.

    Of several languages each gets its share of the cases.
    """

    ending: str
    axis: str
    values: tuple[str, ...]
    kind: CaseKind = CaseKind.SINGLE

    @property
    def language(self) -> str:
        return self.values[0] if self.axis == "language" else ""

    @property
    def names_languages(self) -> bool:
        """Whether it names several languages."""
        return bool(self.language) and len(self.values) > 1

    def in_each_language(self, count: int) -> list[tuple[Modifier | None, int]]:
        """One for each language, as far as the cases go, with its share of them; None for English, which is the usual one."""
        names = self.values[:count]
        each = (None if name == "English" else in_languages((name,)) for name in names)
        return list(zip(each, spread(count, [1] * len(names)), strict=True))


def in_languages(spoken: Iterable[str]) -> Modifier:
    """Cases in these languages, by their English names."""
    names = tuple(spoken)
    return Modifier("_and_".join(name.lower() for name in names), "language", names)


def _language(name: str) -> str:
    return _OWN_NAMES.get(name.lower()) or name.capitalize()


@dataclass(frozen=True, slots=True)
class SeveralValues:
    """Where a text names several values of one axis together, and the modifier that they are."""

    start: int
    end: int
    modifier: Modifier


def several_in(text: str) -> SeveralValues | None:
    """The first that a text names together: “angry and polite”, “in English and German”."""
    if found := _LANGUAGES.search(text):
        names = dict.fromkeys(_language(name) for name in re.findall(LANGUAGE_NAMES, found["values"], re.IGNORECASE))
        if len(names) > 1:
            return SeveralValues(found.start(), found.end(), in_languages(tuple(names)))
    for found in _MANNERS.finditer(text):
        if text[: found.start()].rstrip().endswith(":") and text[found.end() :].strip(" .!"):
            continue  # a list of categories begins so
        if several := _of_one_axis(found):
            return several
    return None


def _of_one_axis(found: re.Match[str]) -> SeveralValues | None:
    """The first values of a run, “short and long, polite or angry”, that belong to the same axis."""
    parts = re.finditer(_ONE, found.group(), re.IGNORECASE)
    words = [(part.start(), part.end(), *_value(part.group())) for part in parts]
    between = next((axis for *_, axis, value in words if value != _MEDIUM), "")  # what “medium” is one of
    for axis, group in groupby(words, key=lambda word: word[2] or between):
        run = list(group)
        values = tuple(dict.fromkeys(value for *_, value in run))
        if len(values) > 1 and not {slug(value) for value in values} & set(OWN_CATEGORIES):
            axis = "difficulty" if set(values) <= _DIFFICULTIES else axis
            modifier = Modifier("_or_".join(map(slug, values)), axis, values)
            return SeveralValues(found.start() + run[0][0], found.start() + run[-1][1], modifier)
    return None


def manners_in(phrase: str) -> tuple[str, tuple[Modifier, ...]]:
    """The phrase without manners of different kinds that it names together, “short and angry refunds”, and these."""
    for found in _MANNERS.finditer(phrase):
        named = [modifier_in(part.group())[1] for part in re.finditer(_ONE, found.group(), re.IGNORECASE)]
        axes = {one.axis: one for one in named if one}
        if len(axes) == len(named):
            return _without(phrase, found.start(), found.end()), tuple(axes.values())
    return phrase, ()


def joined_values(said: str) -> str:
    """With the values that are named together as one phrase, whose parts ``JOIN`` holds together."""
    for found in reversed(list(_MANNERS.finditer(said))):
        ahead = re.match(r" (?!and\b|or\b|with\b|in\b|for\b)[^\W\d]", said[found.end() :])
        if ahead and manners_in(found.group())[1]:
            named = re.sub(_BETWEEN, f" {JOIN} ", found.group(), flags=re.IGNORECASE)
            said = said[: found.start()] + named + said[found.end() :]
    while several := several_in(said):
        named = re.sub(_BETWEEN, f" {JOIN} ", said[several.start : several.end], flags=re.IGNORECASE)
        if several.modifier.language:  # “in 2 languages: …” has a number and a colon
            named = "in " + f" {JOIN} ".join(several.modifier.values)
        said = said[: several.start] + named + said[several.end :]
    return said


def _value(said: str) -> tuple[str, str]:
    """The axis and the value of one word among several: the word itself, unless it compares or is more than one."""
    said = said.strip().lower()
    for words, axis, value in _AMONG:
        if re.fullmatch(words, said):
            return axis, value if value and (" " in said or said.endswith(("er", "ly", "s"))) else said
    return "", said


def modifier_in(phrase: str, *, of_category: bool = False) -> tuple[str, Modifier | None]:
    """The phrase without its modifier, and the modifier, if there is one. ``of_category`` when it speaks of one there is."""
    kind, lengths, rest = kind_in(phrase, of_category=of_category)
    if kind is not CaseKind.SINGLE:
        return bare_phrase(rest), Modifier(ENDINGS[kind], TURNS, lengths, kind)
    if several := several_in(phrase):
        return _without(phrase, several.start, several.end), several.modifier
    if found := _LANGUAGE.search(phrase):
        return _without(phrase, found.start(), found.end()), in_languages((_language(found[1]),))
    for words, ending, axis, values in _KINDS:
        if found := re.search(rf"\b(?:{words})\b", phrase, re.IGNORECASE):
            return _without(phrase, found.start(), found.end()), Modifier(ending, axis, values)
    return phrase, None


def _without(phrase: str, start: int, end: int) -> str:
    before, after = phrase[:start], phrase[end:]
    if manner := _MANNER.match(after):  # “in a friendly tone” goes as a whole
        before, after = re.sub(r"\b(?:in|with)(?: an?| the)? *$", "", before), after[manner.end() :]
    left = f"{before} {after}"
    return bare_phrase(re.sub(r"\b(?:users?|customers?|people|tone|ones|speakers)\b", " ", left, flags=re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Drafted:
    """A category to plan, or the question that has to be answered first."""

    category: dict[str, Any]
    question: str = ""


def draft(
    topics: Topics,
    phrase: str,
    count: int,
    modifier: Modifier | None = None,
    examples: tuple[str, ...] = (),
    language: Modifier | None = None,
    *,
    name_language: bool = False,
) -> Drafted:
    """A category for a phrase; ``examples`` are the person's own and win over the known ones.

    A ``language`` beside the modifier is that of all categories, which no name says, or one of several, which is said.
    """
    named = modifier if modifier and modifier.language else None
    spoken = named or language
    category = topics.category(phrase, count, spoken.language if spoken else "English")
    if modifier and modifier.kind is not CaseKind.SINGLE:
        category["name"] = f"{category['name'][:40].strip('_')}_{modifier.ending}"
    elif modifier:
        words = modifier.ending.replace("_", " ")
        if phrase == words:  # nothing else is said of what they are about
            category["description"] = f"Messages about anything that the application does ({words})"
        else:
            category["name"] = f"{category['name'][:40].strip('_')}_{modifier.ending}"
            category["description"] += "" if named else f" ({words})"
    if language and name_language:
        category["name"] = f"{category['name'][:40].strip('_')}_{language.ending}"
    if spoken and phrase != spoken.ending:
        category["description"] += f", in {spoken.language}"
    held = [one for one in (modifier, spoken) if one and one.kind is CaseKind.SINGLE]
    if held:
        category["attributes"] = {one.axis: list(one.values) for one in held}
    if examples:
        category["example_inputs"] = list(examples)
    if modifier and modifier.kind is not CaseKind.SINGLE:
        make_kind(category, modifier.kind, modifier.values, {})
    known = spoken.language if spoken else "English"
    if known != "English" and not examples and (not topics.knows(phrase) or not category["example_inputs"]):
        return Drafted(category, language_question(known, phrase))
    return Drafted(category)


def language_question(language: str, phrase: str) -> str:
    """Asks for an example in a language in which none is known."""
    known = language in LANGUAGES
    more = (
        ""
        if known
        else " The built-in writer has no phrases in that language; a connected model would write better ones."
    )
    return (
        f"I have no {language} example of {phrase.replace('_', ' ')}. Say it again with one, as a user would write it: "
        f'…in {language}, for example "…".{more}'
    )


def held_to(axes: dict[str, list[str]], modifier: Modifier) -> dict[str, list[str]]:
    """A category's own axes with one of them held to a modifier's values."""
    return {**axes, modifier.axis: list(modifier.values)} if modifier.values else axes
