"""Traits of a question beside what it is about: which word asks, whose it is, what is compared with what.

"When did it start?" and "Where did it start?" have nearly all their words in common, and two answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from types import MappingProxyType

from dsbuilder_tui.diversity import lexicon
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
    FACT = 32768  # yes or no: whether something is so ("Did I …", "Is there …"), not whether one may
    DOING = 65536  # nothing: something is to be done ("Put it on", "I want to pay")
    PURPOSE = 131072  # "What is it for?"
    FOR_IT = 262144  # beside WHAT: "What is needed for it?"


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
    Asked.WHETHER | Asked.FACT,
    Asked.FACT | Asked.HOW,
    Asked.FACT | Asked.WHAT,
    Asked.FACT | Asked.NEEDED,
    Asked.DOING | Asked.HOW,
    Asked.DOING | Asked.WHAT,
    Asked.DOING | Asked.WHETHER,
    Asked.DOING | Asked.WHERE,
    Asked.DOING | Asked.WHICH,
    Asked.PURPOSE | Asked.WHAT,
    Asked.PURPOSE | Asked.WHY,
    Asked.USED | Asked.WHAT,
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
# A question for yes or no that begins with one of these is about a fact; "is it possible", "am I able" is none.
_FACTS = frozenset("did was were has have had is are am ist sind hat haben hay está es".split())
_ALLOWING = frozenset(
    """it going possible able allowed ok okay way ways anyway possibility ability chance permitted es posible manera
    möglich""".split()
)
_OWN = (["do", "i", "have"], ["do", "we", "have"])
_HOLDERS = frozenset("i you we they he she it the my your any anyone somebody someone there".split())
_WANTING = frozenset("want wish have need got like".split())
_TOLD = _TELLING | {"be", "find", "learn", "hear", "check", "understand", "get", "have"}
# These command at the beginning of a sentence; the others only before what is no noun: "transfer it", not "transfer fee".
_COMMANDS = frozenset(
    """put add set create make turn switch send open close start stop buy sell cancel remove delete erase clear pay move
    convert activate deactivate unblock unlock freeze enable disable rename save withdraw reset renew extend decrease
    reduce lower install connect mute apply submit approve reject""".split()
)
_NOUNS_TOO = frozenset(
    """place call phone text email book reserve order change replace play pause transfer exchange block lock schedule copy
    refund return deposit restart increase raise update upgrade pair sync dim""".split()
)
_BEFORE_AN_OBJECT = frozenset(
    "the a an my your our me it this that these those all some any him her them us up down".split()
)
_POLITE = frozenset("please ok okay hey hi hello so and then just now kindly go ahead you".split())
_LEADING = frozenset("and but so".split())
_ABLE = frozenset("can could would will".split())
# "What is it for?" asks for a purpose, "What are you looking for?" does not.
_FOR_A_THING = frozenset(
    "look looking looks ask asking asks asked wait waiting search searching pay paying stand stands account care".split()
)
_PURPOSES = frozenset("purpose purposes point used".split())
_LEARNING = frozenset("know tell find see out".split())

WORDS = frozenset([*_QUESTION_WORDS, *_YES_OR_NO, *_WANTING, *_COMMANDS, *_NOUNS_TOO])


def question(read: Sequence[Piece], words: Sequence[str], known: frozenset[str]) -> int:
    """What is asked, the first question word of each sentence: ``Asked``."""
    if known.isdisjoint(WORDS):
        return 0
    found, heard, start, whether, start_of_whether = Asked(0), Asked(0), 0, False, 0
    for place, (kind, _, word) in enumerate([*read, _END]):
        if whether and (kind == "stop" or heard):
            found |= Asked(0) if heard else _whether(words, start_of_whether)
            whether = False
        if kind == "stop" or (kind == "pause" and heard is Asked.WHAT):
            if heard is Asked.WHAT:
                found |= _for_what(words, start, place)
                heard = Asked.WHICH  # no other is looked for in this sentence
            if kind == "stop":
                heard = Asked(0)
            start = place + 1
        elif place == start and word in _LEADING and place + 1 < len(words) and words[place + 1] in _YES_OR_NO:
            start = place + 1
        elif place == start and not heard and word in _YES_OR_NO:
            whether, start_of_whether = True, place
        elif kind == "pause":
            start = place + 1
        elif not heard and word in _QUESTION_WORDS and _asks(words, place, start):
            heard = _asked(words, place)
            found |= Asked(0) if heard is Asked.WHAT else heard
        elif whether and _NOUNS.get(word) is Asked.WHY:  # "Is there a reason why …"
            heard = Asked.WHY
            found |= heard
    return int(found | (Asked.DOING if _is_to_be_done(read, words, known) else 0))


def _for_what(words: Sequence[str], start: int, end: int) -> Asked:
    """What a sentence with "what" asks for: a purpose where it ends in "for"."""
    if words[end - 1] == "for" and words[end - 2] not in _FOR_A_THING:
        return Asked.PURPOSE
    sentence = words[start:end]
    if "for" in sentence and not _PURPOSES.isdisjoint(sentence):
        return Asked.PURPOSE
    return Asked.WHAT | Asked.FOR_IT if "for" in sentence else Asked.WHAT


def _whether(words: Sequence[str], start: int) -> Asked:
    """What a question for yes or no wants to know, that begins at ``start``."""
    first, ahead = words[start], words[start + 1 : start + 4]
    if _is_about_need(words, start):
        return Asked.NEEDED
    if first in _ABLE and ahead[:1] == ["you"] and _commands(words, start + 2):
        return Asked.DOING
    if not _ALLOWING.isdisjoint(words[start + 1 : start + 5]) or (first == "have" and _HOLDERS.isdisjoint(ahead[:1])):
        return Asked.WHETHER
    if first in _FACTS or [first, *ahead[:2]] in _OWN:
        return Asked.FACT
    return Asked.WHETHER


def _is_to_be_done(read: Sequence[Piece], words: Sequence[str], known: frozenset[str]) -> bool:
    """Whether a text commands or wishes that something be done; being told something is a question."""
    if known.isdisjoint(_COMMANDS) and known.isdisjoint(_WANTING) and known.isdisjoint(_NOUNS_TOO):
        return False
    starts = [0]
    starts += [place + 1 for place, (kind, _, word) in enumerate(read) if kind in ("stop", "pause") or word == "please"]
    return any(_commands(words, start) or _wishes(words, start) for start in starts)


def _wishes(words: Sequence[str], start: int) -> bool:
    """Whether "I want to …" begins here, or near."""
    ahead = words[start : start + 7]
    for place, word in enumerate(ahead[:-2]):
        if word in _WANTING and ahead[place + 1] == "to":
            before = ahead[:place]
            return (
                (not before or not _WE.isdisjoint(before[:2])) and "not" not in before and ahead[place + 2] not in _TOLD
            )
        if word in _VERBS and word not in _ABLE and word not in _WANTING:
            break
    return False


def _commands(words: Sequence[str], start: int) -> bool:
    for place in range(start, min(start + 4, len(words))):
        word, after = words[place], words[place + 1] if place + 1 < len(words) else ""
        if word not in _POLITE:
            return word in _COMMANDS or (word in _NOUNS_TOO and after in _BEFORE_AN_OBJECT)
    return False


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
    if one != Asked.DOING and other != Asked.DOING:  # else it only leads to what is asked
        one, other = one & ~Asked.DOING, other & ~Asked.DOING
    if not (one | other) & Asked.PURPOSE:
        one, other = one & ~Asked.FOR_IT, other & ~Asked.FOR_IT
    mine, theirs = one & ~other, other & ~one
    return bool(mine and theirs) and not any((mine | theirs) & ~either == 0 for either in _EITHER)


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
        for distance, one in enumerate(ahead[:-1], place + 1):  # "How do I know when …"
            if one in _LEARNING and _QUESTION_WORDS.get(words[distance + 1], Asked.HOW) is not Asked.HOW:
                return _asked(words, distance + 1)
        if ahead[0] in _COUNTING and not _SPENT.isdisjoint(words):
            return Asked.USED
        asked = _MEASURED.get(ahead[0], asked)
        ahead = ahead[1:]
    if asked is Asked.HOW_MUCH:
        return next((_COUNTED[one] for one in ahead[:2] if one in _COUNTED), asked)
    if asked in (Asked.WHAT, Asked.WHICH):
        if word in ("cuál", "cuáles"):
            asked = Asked.WHAT  # "¿Cuál es …?"
        elif word == "what" and ahead and ahead[0] and ahead[0] not in _VERBS and ahead[0] not in lexicon.NO_ITEM:
            asked = Asked.WHICH
        for distance, one in enumerate(ahead):
            if not one:
                break
            noun = _NOUNS.get(one)
            if noun is Asked.HOW_MUCH and not _SPENT.isdisjoint(words):
                return Asked.USED
            if one == "need" and distance and ahead[distance - 1] == "the":
                return Asked.WHY
            if noun is not None and (distance == 0 or noun is not Asked.WHERE):
                return noun
    return asked
