"""Modifiers that make some cases of a category different: a language, a mood, a difficulty."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import TURNS
from dsbuilder_tui.offline.planner.kind_requests import ENDINGS, kind_in, make_kind
from dsbuilder_tui.offline.planner.naming import bare_phrase
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
_LANGUAGE = re.compile(
    r"(?<!\w)(?:(?:(?:written|asked|all)? ?in|auf|en|po|på) )?"
    rf"({'|'.join((*LANGUAGES, *_MORE_LANGUAGES.split(), *map(re.escape, _OWN_NAMES)))})(?!\w)"
    r"(?: (?:language|speaking|speakers?))?\b",
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
_MANNER = re.compile(r"\s*(?:tone|style|voice|manner|mood|way)\b", re.IGNORECASE)
# What may also be a category of its own: "10 adversarial cases".
OWN_CATEGORIES = ("adversarial", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Modifier:
    """``ending`` goes into a category's name; ``values`` are what ``axis`` is held to; ``kind`` is that of the cases."""

    ending: str
    axis: str
    values: tuple[str, ...]
    kind: CaseKind = CaseKind.SINGLE

    @property
    def language(self) -> str:
        return self.values[0] if self.axis == "language" else ""


def modifier_in(phrase: str, *, of_category: bool = False) -> tuple[str, Modifier | None]:
    """The phrase without its modifier, and the modifier, if there is one. ``of_category`` when it speaks of one there is."""
    kind, lengths, rest = kind_in(phrase, of_category=of_category)
    if kind is not CaseKind.SINGLE:
        return bare_phrase(rest), Modifier(ENDINGS[kind], TURNS, lengths, kind)
    if found := _LANGUAGE.search(phrase):
        language = _OWN_NAMES.get(found[1].lower()) or found[1].capitalize()
        return _without(phrase, found), Modifier(language.lower(), "language", (language,))
    for words, ending, axis, values in _KINDS:
        if found := re.search(rf"\b(?:{words})\b", phrase, re.IGNORECASE):
            return _without(phrase, found), Modifier(ending, axis, values)
    return phrase, None


def _without(phrase: str, found: re.Match[str]) -> str:
    before, after = phrase[: found.start()], phrase[found.end() :]
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
    topics: Topics, phrase: str, count: int, modifier: Modifier | None = None, examples: tuple[str, ...] = ()
) -> Drafted:
    """A category for a phrase; ``examples`` are the person's own and win over the known ones."""
    language = modifier.language if modifier else ""
    category = topics.category(phrase, count, language or "English")
    if modifier and modifier.kind is not CaseKind.SINGLE:
        category["name"] = f"{category['name'][:40].strip('_')}_{modifier.ending}"
    elif modifier:
        category["attributes"] = {modifier.axis: list(modifier.values)}
        words = modifier.ending.replace("_", " ")
        if phrase == words:  # nothing else is said of what they are about
            category["description"] = f"Messages about anything that the application does ({words})"
        else:
            category["name"] = f"{category['name'][:40].strip('_')}_{modifier.ending}"
            category["description"] += f", in {language}" if language else f" ({words})"
    if examples:
        category["example_inputs"] = list(examples)
    if modifier and modifier.kind is not CaseKind.SINGLE:
        make_kind(category, modifier.kind, modifier.values, {})
    if (
        language not in ("", "English")
        and not examples
        and (not topics.knows(phrase) or not category["example_inputs"])
    ):
        return Drafted(category, language_question(language, phrase))
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
