"""Traits of a question beside what it is about: which word asks, whose it is, what is compared with what.

"When did it start?" and "Where did it start?" have nearly all their words in common, and two answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from types import MappingProxyType

from dsbuilder_tui.diversity.normalise import Piece


class Asked(IntFlag):
    """What a question wants to know."""

    WHEN = 1
    WHERE = 2
    WHO = 4
    WHY = 8
    WHAT = 16
    HOW = 32
    HOW_MUCH = 64
    HOW_OFTEN = 128
    HOW_LONG = 256
    HOW_FAR = 512
    HOW_OLD = 1024
    WHICH = 2048
    WHETHER = 4096  # yes or no
    NEEDED = 8192  # yes or no: whether one has to
    USED = 16384  # how much of something is gone, not how much there is


# What is often asked with either word: "What is the fee?", "How much is the fee?"
_EITHER = (
    Asked.WHAT | Asked.HOW,
    Asked.WHAT | Asked.WHICH,
    Asked.WHAT | Asked.HOW_MUCH,
    Asked.WHEN | Asked.HOW_LONG,
    Asked.WHERE | Asked.HOW,
    Asked.WHETHER | Asked.HOW,
    Asked.WHETHER | Asked.WHAT,
    Asked.WHETHER | Asked.NEEDED,
)


def _table(rows: Iterable[tuple[Asked, str]]) -> MappingProxyType[str, Asked]:
    return MappingProxyType({word: asked for asked, words in rows for word in words.split()})


_QUESTION_WORDS = _table(
    [
        (Asked.WHEN, "when cuándo wann quand"),
        (Asked.WHERE, "where dónde adónde wo woher wohin où"),
        (Asked.WHO, "who whom whose quién quiénes wer wem wen wessen qui"),
        (Asked.WHY, "why warum wieso weshalb weswegen pourquoi"),
        (Asked.WHAT, "what qué was"),
        (Asked.WHICH, "which cuál cuáles welche welcher welches welchen welchem quel quelle quels quelles"),
        (Asked.HOW, "how cómo wie comment"),
        (Asked.HOW_MUCH, "cuánto cuánta cuántos cuántas wieviel wieviele combien"),
    ]
)
# The word behind "how", "wie": it says what is measured.
_MEASURED = _table(
    [
        (Asked.HOW_MUCH, "much many expensive viel viele teuer"),
        (Asked.HOW_OFTEN, "often frequently oft häufig"),
        (Asked.HOW_LONG, "long soon quickly fast lange schnell bald"),
        (Asked.HOW_FAR, "far weit"),
        (Asked.HOW_OLD, "old alt"),
        (Asked.WHY, "come"),
    ]
)
# One of the words behind "how many", "cuántas", "wie viele".
_COUNTED = _table(
    [
        (Asked.HOW_OFTEN, "times veces mal fois"),
        (
            Asked.HOW_LONG,
            "time minutes hours days weeks months tiempo minutos horas días semanas meses minuten stunden tage wochen "
            "monate zeit temps minutes heures jours semaines mois",
        ),
        (Asked.WHEN, "uhr"),
    ]
)
# One of the words behind "what", "which": it says what is really asked.
_NOUNS = _table(
    [
        (
            Asked.WHEN,
            "time date day year month hour hours hora horario fecha día año mes uhrzeit datum tag jahr monat heure jour année",
        ),
        (Asked.WHY, "reason reasons cause causes causa motivo razón grund ursache raison"),
        (Asked.WHERE, "place city town country location lugar ciudad país ort stadt land lieu ville pays"),
        (Asked.HOW_OFTEN, "frequency frecuencia fréquence"),
        (
            Asked.HOW_MUCH,
            "amount number price percentage cantidad número precio anzahl betrag preis montant prix nombre",
        ),
    ]
)
_NOUN_REACH = 4  # words between "what" and the noun: "what is the best time"
# These also join clauses ("when I pay"): they ask at the start of a sentence, before a verb, or behind "tell me".
_JOINING = frozenset(
    "when where who whom whose which wo wer wem wen welche welcher welches welchen welchem was wie qui où".split()
)
_STARTS_ONLY = frozenset("comment quand qui was".split())
_BEFORE = frozenset(
    """and so but ok okay hi hello please also then y pero und aber et mais in at on to from by for since until with about
    of a de en con por para desde hasta mit zu von bis seit um an auf à dans depuis pour avec""".split()
)  # fmt: skip
_VERBS = frozenset(
    """is are was were am do does did can could will would shall should may might must has have had
    ist sind war waren hat haben kann können muss müssen soll darf wird werden kostet bedeutet heißt macht passiert
    est sont était a ont peut dois doit""".split()
)  # fmt: skip
_GERMAN_VERBS = frozenset(
    "ist sind war waren hat haben kann können muss müssen soll darf wird kostet bedeutet heißt macht passiert".split()
)
# One of these at its start makes a sentence a question for yes or no.
_YES_OR_NO = frozenset(
    """is are was were am do does did can could will would shall should may might must has have
    ist sind hat kann können könnte darf muss wird puedo puede puedes hay es está tiene est peut puis-je""".split()
)  # fmt: skip
_MUST = frozenset("must muss müssen darf dois devons debo".split())
_WE = frozenset("i we one ich wir man".split())
_NEEDED = frozenset("have need required obliged necessary mandatory needed".split())
_NEED_REACH = 3  # words from the beginning: "Do we really need to …"
_COUNTING = frozenset("much many".split())
_SPENT = frozenset("used taken spent consumed".split())
_END: Piece = ("stop", "", "")
_TELLING = frozenset(
    "know tell me us ask say see wonder wondering remember explain exactly saber dime wissen savoir".split()
)

_OWNERS = MappingProxyType(
    {
        word: 1 << place
        for place, words in enumerate(
            (
                "my mine our ours mi mis mío mía nuestro nuestra mein meine meinen meinem meiner unser unsere mon notre",
                "your yours tu tus dein deine deinen deinem deiner votre vos",
                "his", "hers her", "their theirs",
            )
        )
        for word in words.split()
    }
)  # fmt: skip

_TURNED = frozenset(
    """go goes went going turn turned turning switch switched switching log logged logging sign signed signing check
    checked checking opt move moved hand""".split()
)  # fmt: skip
_SIGNED_IN = frozenset("log logged logging sign signed signing".split())
_PARTICLES = MappingProxyType(
    {word: 1 << place for place, word in enumerate("in out on off up down over back away through around".split())}
)
_BEFORE_A_NOUN = frozenset("in on over through around".split())  # "turn the warnings in the log off"
_MOST_APART = 6  # words from a verb to its particle: "turn the night mode off"
# A German verb leaves these behind at the end of its sentence: "Schalte den Nachtmodus um."
_GERMAN_PARTICLES = MappingProxyType(
    {word: 1 << place for place, word in enumerate("ein aus an ab um auf zurück weg hoch runter".split(), 16)}
)

_AGAINST = frozenset("than versus vs instead rather als statt anstatt plutôt".split())
_EITHER_WORDS = frozenset("or oder o u ou".split())
_BETWEEN = frozenset("between entre zwischen".split())
_JOINT = frozenset("and y e und et".split())
_HOLDING = _AGAINST | _EITHER_WORDS | _BETWEEN
_NO_ITEM = frozenset(
    """the a an my your our his her their this that these those by with in on to for at of is are it be from as and or not no
    something anything someone anyone so else whatever whether more less do does did can will should i you we they
    if when how what el la los las un una mi su de en con por para que no más menos algo der die das den dem ein eine einen
    einem mein meine zu mit von für nicht kein keine le les une des mon votre du ce cette pas""".split()
)  # fmt: skip
_MOST_SKIPPED = 4  # words between "than" and what is compared

# With and without one of these it is another thing, though most words are the same.
_KINDS = MappingProxyType(
    {
        word: 1 << place
        for place, words in enumerate(
            (
                "virtual", "physical físico física physisch physische", "disposable desechable", "temporary temporal temporär",
                "direct directo", "automatic automatically auto automático automáticamente automatisch",
                "vice deputy stellvertretende stellvertretender stellvertretenden",
                "former ehemalige ehemaliger ehemaligen", "joint",
                "atm atms cash cashpoint withdraw withdraws withdrew withdrawn withdrawal withdrawals withdrawing "
                "geldautomat geldautomaten bargeld abheben abhebung efectivo cajero retirar retiro espèces retrait",
                "partly partially partial teilweise parcialmente partiellement",
            )
        )
        for word in words.split()
    }
)  # fmt: skip

_RUNS = frozenset("work working".split())
_WORKING = 1 << 31

WORDS = frozenset([*_QUESTION_WORDS, *_YES_OR_NO, *_OWNERS, *_TURNED, *_GERMAN_PARTICLES, *_HOLDING, *_KINDS])


def question(read: Sequence[Piece], words: Sequence[str], known: frozenset[str]) -> int:
    """What is asked, the first question word of each sentence: ``Asked``."""
    if known.isdisjoint(_QUESTION_WORDS) and known.isdisjoint(_YES_OR_NO):
        return 0
    found, heard, start, whether, start_of_whether = Asked(0), False, 0, False, 0
    for place, (kind, _, word) in enumerate([*read, _END]):
        if whether and (kind == "stop" or heard):
            found |= Asked(0) if heard else Asked.NEEDED if _is_about_need(words, start_of_whether) else Asked.WHETHER
            whether = False
        if kind == "stop":
            heard, start = False, place + 1
        elif place == start and not heard and word in _YES_OR_NO:
            whether, start_of_whether = True, place
        elif kind == "pause":
            start = place + 1
        elif not heard and word in _QUESTION_WORDS and _asks(words, place, start):
            found |= _asked(words, place)
            heard = True
        elif whether and _NOUNS.get(word) is Asked.WHY:  # "Is there a reason why …"
            found |= Asked.WHY
            heard = True
    return int(found)


def _is_about_need(words: Sequence[str], start: int) -> bool:
    """Whether a question for yes or no asks if one has to: "Must I …", "Do we have to …", "Is it necessary to …"."""
    first, *ahead = words[start : start + 2 + _NEED_REACH]
    if first in _MUST:
        return bool(ahead) and ahead[0] in _WE
    for place, word in enumerate(ahead, start + 1):
        if word in ("have", "need"):
            return words[place + 1 : place + 2] == ["to"] and not _WE.isdisjoint(words[start + 1 : place])
        if word in _NEEDED:
            return first in ("is", "am", "are")
    return False


def questions_differ(one: int, other: int) -> bool:
    """Each asks for something that the other does not, and that is not the same in another word."""
    mine, theirs = one & ~other, other & ~one
    return bool(mine and theirs) and not any((mine | theirs) & ~either == 0 for either in _EITHER)


def owner(known: frozenset[str]) -> int:
    """Whose it is: a bit for mine, yours, his …"""
    bits = 0
    for word in known & _OWNERS.keys():
        bits |= _OWNERS[word]
    return bits


def kind(words: Sequence[str], known: frozenset[str]) -> int:
    """Which kind of a thing: a bit for virtual, physical, vice …"""
    bits = 0
    for word in known & _KINDS.keys():
        bits |= _KINDS[word]
    # Getting a thing to work is another thing than getting it.
    return bits | _WORKING if "get" in words and not _RUNS.isdisjoint(words) else bits


def particle(read: Sequence[Piece], words: Sequence[str], known: frozenset[str]) -> int:
    """Which way a verb goes: a bit for off, over, back …"""
    bits = 0
    if not known.isdisjoint(_TURNED):
        for place, word in enumerate(words):
            if word in _TURNED:
                found = _particle_of(words, place)
                bits |= _PARTICLES[_login(word, found)] if found else 0
    if not known.isdisjoint(_GERMAN_PARTICLES):
        for place, word in enumerate(words):
            if word in _GERMAN_PARTICLES and (place + 1 == len(read) or read[place + 1][0] in ("stop", "pause")):
                bits |= _GERMAN_PARTICLES[word]
    return bits


def against(words: Sequence[str], known: frozenset[str]) -> set[str]:
    """What is held against something else: "than X", "A or B", "between A and B"."""
    found: set[str] = set()
    if known.isdisjoint(_HOLDING):
        return found
    for place, word in enumerate(words):
        if word in _AGAINST or word in _EITHER_WORDS:
            found |= _item(words[place + 1 : place + 1 + _MOST_SKIPPED])
        if word in _EITHER_WORDS:
            found |= _item(words[max(place - _MOST_SKIPPED, 0) : place][::-1])
        if word in _BETWEEN:
            ahead = words[place + 1 : place + 2 + 2 * _MOST_SKIPPED]
            joint = next((at for at, one in enumerate(ahead) if one in _JOINT), None)
            if joint is not None:
                found |= _item(ahead[:joint][::-1]) | _item(ahead[joint + 1 :])
    return found


def _item(words: Sequence[str]) -> set[str]:
    """The nearest word that can be a thing; none where the sentence ends before."""
    for word in words:
        if not word:
            break
        if word not in _NO_ITEM and word not in _AGAINST:
            return {word}
    return set()


def _particle_of(words: Sequence[str], verb: int) -> str:
    for place in range(verb + 1, min(verb + 1 + _MOST_APART, len(words))):
        word = words[place]
        if not word:
            break
        ahead = words[place + 1] if place + 1 < len(words) else ""
        if word in _PARTICLES and (place == verb + 1 or word not in _BEFORE_A_NOUN or not ahead):
            return word
    return ""


def _login(verb: str, particle: str) -> str:
    return {"on": "in", "off": "out"}.get(particle, particle) if verb in _SIGNED_IN else particle


def _asks(words: Sequence[str], place: int, start: int) -> bool:
    word, after = words[place], words[place + 1] if place + 1 < len(words) else ""
    at_start = place == start or (place - start <= 2 and all(one in _BEFORE for one in words[start:place]))
    if word == "was":  # in English a verb
        return at_start and after in _GERMAN_VERBS
    if word in _STARTS_ONLY:
        return at_start
    if word not in _JOINING:
        return True
    if word == "when":
        return after in _VERBS or (place > start and (words[place - 1] in _TELLING or not after))
    return at_start or after in _VERBS or words[place - 1] in _TELLING or not after


def _asked(words: Sequence[str], place: int) -> Asked:
    word, ahead = words[place], words[place + 1 : place + 2 + _NOUN_REACH]
    asked = _QUESTION_WORDS[word]
    if word == "qué" and place and words[place - 1] == "por":
        return Asked.WHY
    if asked is Asked.HOW and ahead:
        if ahead[0] in _COUNTING and not _SPENT.isdisjoint(words):
            return Asked.USED
        asked = _MEASURED.get(ahead[0], asked)
        ahead = ahead[1:]
    if asked is Asked.HOW_MUCH:
        return next((_COUNTED[one] for one in ahead[:2] if one in _COUNTED), asked)
    if asked in (Asked.WHAT, Asked.WHICH):
        if word in ("cuál", "cuáles"):
            asked = Asked.WHAT  # "¿Cuál es …?"
        elif word == "what" and ahead and ahead[0] and ahead[0] not in _VERBS and ahead[0] not in _NO_ITEM:
            asked = Asked.WHICH
        for distance, one in enumerate(ahead):
            if not one:
                break
            noun = _NOUNS.get(one)
            if noun is not None and (distance == 0 or noun is not Asked.WHERE):
                return noun
    return asked
