"""Traits that keep two similar texts apart: read from the raw text, and which of them speak for contrast.

Two cases that say almost the same may differ in just what an evaluation is about: the amount, a "not", from where to
where, which city, asking or declining. Similarity does not see that; these traits do. They are read without a model, so a
pair with a differing trait is *likely* a contrast, not surely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import xxhash

from dsbuilder_tui.diversity import asked_traits, detail_traits, lexicon
from dsbuilder_tui.diversity.normalise import Piece, joined, pieces

TRAITS = (
    "quantity", "negation", "direction", "entity", "request", "question", "owner", "particle", "kind", "compared", "role",
)  # fmt: skip

_ODD, _EVEN = 1, 2  # negation
_ASKS, _DECLINES = 1, 2  # request
_SIDE = 0x5555_5555  # of each two bits of a direction the lower
_ROUTE_AXES, _ROUTE_SHIFT = 8, 16
_MOST_BETWEEN = 5  # words between "from" and what it is from

_DECLINING = re.compile(
    r"\b(?:no,? (?:thanks|thank you|gracias)|nein,? danke|not interested|never ?mind|rather not|"
    r"(?:do|does|did|would|will) not (?:want|need|wish|care for|be needing)|"
    r"not (?:be )?(?:needing|wanting)|no longer (?:want|need|wish)|"
    r"i will not (?!be\b|need|want|require|have|get)\w+|please do not|no me interesan?|"
    r"no (?:quiero|deseo|necesito|quisiera|hace falta)|ya no|kein interesse|nicht interessiert|"
    r"(?:möchte|will|brauche|wünsche) (?:\w+ ){0,3}?(?:nicht|kein\w*)|bitte (?:\w+ ){0,2}?(?:nicht|kein\w*))\b"
)
_NUMERIC = frozenset[str]().union(
    lexicon.NUMBER_WORDS, lexicon.MULTIPLIERS, lexicon.EVERY, lexicon.DURATIONS, lexicon.ORDINALS
)
_HINTS = frozenset(
    """thanks thank gracias danke interested mind nevermind rather want need wish care needing wanting longer please
    interesa interesan quiero deseo necesito quisiera falta ya interesse interessiert möchte will brauche wünsche
    bitte""".split()
)
_ALL_WORDS = frozenset[str]().union(
    lexicon.CONVERTING,
    asked_traits.WORDS,
    detail_traits.WORDS,
    *(lexicon.NUMBER_WORDS, lexicon.MULTIPLIERS, lexicon.EVERY, lexicon.DURATIONS, lexicon.NEGATIONS, lexicon.ASKING),
    *(lexicon.POLES, lexicon.PARTICLES, lexicon.PHRASAL, lexicon.FROM, lexicon.TOWARDS, lexicon.PLACES, lexicon.GERMAN),
)


def traits(text: str) -> tuple[int, ...]:
    """One unsigned 32-bit number for each of ``TRAITS``; 0 where the text has nothing of it. Never fails."""
    return _traits_of(pieces(text))


def compared(text: str) -> tuple[str, tuple[int, ...]]:
    """``normalise(text)`` and ``traits(text)``, for little more than the price of one."""
    read = pieces(text)
    return joined(read), _traits_of(read)


def differing(one: Sequence[int], other: Sequence[int]) -> tuple[str, ...]:
    """The names of the traits that speak for contrast. (Numbers may be unequal and yet not speak: one text names a
    city, the other none.)"""
    if one == other:
        return ()
    return tuple(
        name for name, speaks, a, b in zip(TRAITS, _SPEAKS, one, other, strict=True) if a != b and speaks(a, b)
    )


def _unequal(one: int, other: int) -> bool:
    return one != other


def _opposite(one: int, other: int) -> bool:
    """On some axis one text stands only on one side and the other only on the other."""
    low_one, high_one, low_other, high_other = one & _SIDE, one >> 1 & _SIDE, other & _SIDE, other >> 1 & _SIDE
    return bool(low_one & ~high_one & high_other & ~low_other or high_one & ~low_one & low_other & ~high_other)


def _each_has_its_own(one: int, other: int) -> bool:
    return bool(one & ~other and other & ~one)


def _one_declines(one: int, other: int) -> bool:
    return (one == _DECLINES) != (other == _DECLINES)


_SPEAKS = (
    _unequal, _unequal, _opposite, _each_has_its_own, _one_declines, asked_traits.questions_differ, _each_has_its_own,
    _each_has_its_own, detail_traits.kinds_differ, _each_has_its_own, _each_has_its_own,
)  # fmt: skip


def _hash(text: str) -> int:
    return xxhash.xxh32_intdigest(text.encode("utf-8", "surrogatepass"))


def _traits_of(read: list[Piece]) -> tuple[int, ...]:
    words = [word for _, _, word in read]
    known = _ALL_WORDS.intersection(words)
    return (
        _quantity(read, words),
        _negation(read, words, known),
        _direction(read, words, known),
        _entity(read, words, known),
        _request(words, known),
        asked_traits.question(read, words, known),
        detail_traits.owner(known),
        detail_traits.particle(read, words, known),
        detail_traits.kind(words, known),
        _bits(detail_traits.against(words, known)),
        detail_traits.role(words, known),
    )


def _request(words: list[str], known: frozenset[str]) -> int:
    if known & lexicon.NEGATIONS and not _HINTS.isdisjoint(words):
        for place, word in enumerate(words):
            if word in lexicon.NEGATIONS and _DECLINING.search(
                " ".join(filter(None, words[max(place - 5, 0) : place + 5]))
            ):
                return _DECLINES
    return _ASKS if known & lexicon.ASKING else 0


def _negation(read: list[Piece], words: list[str], known: frozenset[str]) -> int:
    if not known & lexicon.NEGATIONS:
        return 0
    count = in_sentence = 0
    for place, (kind, token, word) in enumerate(read):
        if kind == "stop":
            in_sentence = 0
        elif kind == "word" and word in lexicon.NEGATIONS:
            after = read[place + 1] if place + 1 < len(read) else ("stop", "", "")
            if word in ("no", "nein") and after[0] in ("mask", "amount", "pause", "stop"):
                continue  # "No, …" answers a question, and "no. 5" is a number
            if after[2] in lexicon.KNOWING and place + 2 < len(read) and read[place + 2][2] in lexicon.ASKED:
                continue
            if in_sentence and word in lexicon.CONCORD:
                continue
            if token.lower().endswith("t") and _is_tag(read, place):
                continue
            count += 1
            in_sentence += 1
    return (_ODD if count % 2 else _EVEN) if count else 0


def _is_tag(read: list[Piece], place: int) -> bool:
    """The "don't you?" at the end of a question: a pause, a verb, not, a pronoun, a question mark."""
    return (
        place >= 2
        and place + 2 < len(read)
        and read[place - 2][0] == "pause"
        and read[place + 2][1] == "?"
        and read[place + 1][2] in ("i", "you", "he", "she", "it", "we", "they")
    )


def _quantity(read: list[Piece], words: list[str]) -> int:
    measured: list[str] = []
    counts: list[tuple[float | str, str]] = []
    free = 0  # what lies before is part of the number read last
    for place in [at for at, (kind, _, word) in enumerate(read) if kind == "amount" or word in _NUMERIC]:
        kind, _, word = read[place]
        value: float | str | None = None
        if place < free or kind == "mask":
            continue
        if kind == "amount":
            if word[0] in "$€£¥":
                number, free = _multiplied(_number(word[1:]), words, place + 1)
                measured.append(f"{number}{word[0]}")
            elif word[-1] == "%":
                measured.append(word)
            elif word[0].isdecimal():
                value = _number(word) if word[-1].isdecimal() else _short(word)
        elif word in lexicon.EVERY:
            measured.append(f"1{lexicon.EVERY[word]}")
        elif word in lexicon.TIMES:
            measured.append(f"{lexicon.NUMBER_WORDS[word]}x")
        elif word == "one" and words[max(place - 2, 0) : place] in lexicon.SEVERAL:
            measured.append(">1")
        elif word in lexicon.NUMBER_WORDS:
            value = _spoken(words, place)
        elif word in lexicon.MULTIPLIERS and word not in ("mil", "k"):
            value = lexicon.MULTIPLIERS[word]
        elif word in lexicon.DURATIONS and place and (words[place - 1] in lexicon.ONE_OF or _whole(words, place)):
            measured.append(f"1{lexicon.UNITS[word]}")
        elif word in lexicon.ORDINALS:
            measured.append(f"the {lexicon.ORDINALS[word]}")
        if value is None:
            continue
        value, free = _multiplied(value, words, place + 1)
        unit, free = _unit(words, free)
        if unit:
            measured.append(f"{value}{unit}")
        else:
            noun = words[free] if free < len(words) else ""
            if noun not in lexicon.NO_COUNT:
                counts.append((value, noun))
    if not measured and not counts:
        return 0
    if len(counts) > 1:  # which is which matters: three adults and two children
        measured.extend(f"{value} {noun[:4] if noun not in lexicon.NO_NOUN else ''}" for value, noun in counts)
    else:
        measured.extend(f"{value}" for value, _ in counts if value != 1)
    return _hash("|".join(sorted(set(measured)))) or 1 if measured else 0


def _whole(words: list[str], place: int) -> bool:
    """The end of the week, not of the month."""
    return place >= 2 and words[place - 1] in ("the", "this") and words[place - 2] == "of"


def _number(word: str) -> float | str:
    try:
        number = float(word.replace(",", ""))
    except ValueError:
        return word
    return int(number) if number.is_integer() else number


def _short(word: str) -> float | None:
    """3k is three thousand; 3rd and 2fa count nothing."""
    head = word.removesuffix("k")
    return int(head) * 1000 if head != word and head.isdecimal() and len(head) < 9 else None


def _multiplied(value: float | str, words: list[str], place: int) -> tuple[float | str, int]:
    if place < len(words) and words[place] in lexicon.MULTIPLIERS and not isinstance(value, str):
        return value * lexicon.MULTIPLIERS[words[place]], place + 1
    return value, place


def _spoken(words: list[str], place: int) -> float | None:
    """The number a number word stands for, if it counts something here."""
    word, value = words[place], lexicon.NUMBER_WORDS[words[place]]
    after = words[place + 1] if place + 1 < len(words) else ""
    if word == "one" and after not in lexicon.UNITS and after not in lexicon.MULTIPLIERS:
        return None
    if (word == "once" or word in lexicon.HALVES) and after not in lexicon.UNITS:
        following = words[place + 2] if word == "half" and place + 2 < len(words) else ""  # half an hour
        return value if following in lexicon.UNITS else None
    return value


def _unit(words: list[str], place: int) -> tuple[str, int]:
    """The unit of the number before ``place``, one word in between allowed: "3 business days"."""
    for ahead in (0, 1):
        at = place + ahead
        if at >= len(words):
            break
        unit = lexicon.UNITS.get(words[at])
        if unit and (
            not ahead or words[place] in lexicon.UNIT_KINDS or words[at].removesuffix("s") in lexicon.DURATIONS
        ):
            unit = f"{words[place]} {unit}" if words[place] in lexicon.UNIT_KINDS else unit
            old = at + 1 < len(words) and words[at + 1] in ("old", "alt")
            return ("", at + 1) if old else (unit, at + 1)
        if words[place] in ("and", "or", "to", "y", "und", "oder", ""):
            break
    return "", place


def _direction(read: list[Piece], words: list[str], known: frozenset[str]) -> int:
    result = 0
    for word in known:
        if word not in ("left", "right") or _is_side(words, word):
            result |= lexicon.POLES.get(word, 0)
    if known & lexicon.PHRASAL:
        for place, word in enumerate(words):
            if word in lexicon.PHRASAL:
                for particle in words[place + 1 : place + 4]:
                    result |= lexicon.PARTICLES.get(particle, 0)
    starts, towards = known & lexicon.FROM, lexicon.TOWARDS
    if starts & lexicon.FROM_SPANISH:
        towards |= {"a"}
    if starts or known & towards:
        bare = "from" in starts or not known.isdisjoint(lexicon.CONVERTING)
        result |= _route(read, words, towards, bare)
    return result


def _is_side(words: list[str], word: str) -> bool:
    after = words.index(word) + 1
    return after < len(words) and words[after] not in lexicon.NO_SIDE and words[after] != ""


def _route(read: list[Piece], words: list[str], towards: frozenset[str], bare: bool) -> int:
    """What is gone from and to, each on an axis of its own by its name, as bits beside the opposites."""
    ends: dict[str, int] = {}
    for place, word in enumerate(words[:-1]):
        side = 1 if word in lexicon.FROM else 2 if word in towards else 0
        if not side:
            continue
        at, determined = place + 1, False
        last = min(place + _MOST_BETWEEN, len(words) - 1)
        while at < last and (words[at] in lexicon.DETERMINERS or words[at] in lexicon.VAGUE):
            determined, at = True, at + 1
        if determined and read[at][0] in ("stop", "pause"):
            at -= 1
        kind, token, target = read[at]
        named = token[:1].isupper() or target in lexicon.PLACES
        if kind == "word" and (determined or named or (bare and word in ("from", "to"))):
            ends[target] = ends.get(target, 0) | side
            source = words[place - 1] if place and side == 2 else ""  # "Rome to Paris", "JSON to YAML"
            written_as_name = place > 1 and read[place - 1][1][:1].isupper()
            if source and ((named and (source in lexicon.PLACES or written_as_name)) or (bare and not determined)):
                ends[source] = ends.get(source, 0) | 1
    result, taken = 0, set[int]()
    for target in sorted(ends):
        axis = _hash(target) % _ROUTE_AXES
        while axis in taken and len(taken) < _ROUTE_AXES:
            axis = (axis + 1) % _ROUTE_AXES
        taken.add(axis)
        result |= ends[target] << (_ROUTE_SHIFT + 2 * axis)
    return result


def _entity(read: list[Piece], words: list[str], known: frozenset[str]) -> int:
    found = known & lexicon.PLACES
    capitals = [
        (place, word)
        for place, (kind, token, word) in enumerate(read)
        if token != word and kind == "word" and token[:1].isupper() and word not in lexicon.NOT_NAMES
    ]
    if capitals and len(capitals) * 2 < len(words):  # else shouted, or a headline
        german = len(known & lexicon.GERMAN) >= 2
        for place, word in capitals:
            before = read[place - 1] if place else ("stop", "", "")
            if german:
                if before[2] in ("nach", "aus") and word not in lexicon.NO_PLACE:
                    found |= {word}
            elif before[0] != "stop" and not _greets(before):
                found |= {word}
    return _bits(found)


def _bits(names: Iterable[str]) -> int:
    """Two bits a name: which names there are, nearly."""
    bits = 0
    for name in names:
        number = _hash(name)
        bits |= 1 << (number & 31) | 1 << (number >> 5 & 31)
    return bits


def _greets(before: Piece) -> bool:
    return before[2] == "<name>" or before[2] in lexicon.GREETINGS
