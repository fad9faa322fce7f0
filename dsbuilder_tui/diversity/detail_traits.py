"""Traits in the detail of a text: whose it is, which way a verb goes, which of a kind, against what, and who does it to whom.

"Can you call me?" and "Can I call you?" have all their words in common but two.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from dsbuilder_tui.diversity import lexicon
from dsbuilder_tui.diversity.normalise import Piece

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

_ME, _I = frozenset(["me", "us"]), frozenset(["i", "we"])
_PERSONS = _ME | _I | {"you"}
_I_TO_YOU, _YOU_TO_ME = 1, 2
_MOST_TO_OBJECT = 6  # words from "I" to "you": "I would like to call you"
_BEFORE_A_VERB = frozenset(
    """to can could will would should shall may might must do did have want like need going just also always not what how when
    where""".split()
)
# Before "me" and "you" these do nothing to anybody, or are said of whatever is asked: "tell me", "for me", "do you".
_GIVING = frozenset(
    """tell show give help ask let send get find remind need want like wish thank thanks advise inform explain teach
    for to with from of at by about on in and or than that if when what how why where who which as do did does can could
    will would should shall may might have had are were is was am so because but since before after until see not name
    hey ok okay hi hello all""".split()
)
_ACTS = frozenset("can could will would should have are is do did don need want".split())  # it is the subject there

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

_RUNS = frozenset("work working started".split())
_WORKING = 1 << 31
_PART = _KINDS["partly"]

# One more of a kind, the least and the first of it are other things than one of which nothing of the sort is said.
_ANOTHER = frozenset("another otro otra autre weiterer weitere weiteren weiteres".split())
_OTHERS = frozenset(
    """other others otros otras andere anderen anderer anderes autres different else elsewhere second additional extra spare
    more further new two back""".split()
)
_LEAST = frozenset("minimum minimal mínimo mínima mindestens".split())
_LIMITED = frozenset("limit limits limited lowest smallest min low fewest least more".split())
_EARLIEST = frozenset(
    "first earliest oldest initial original primer primera primero erste ersten erster erstes".split()
)
_ONE_MORE, _NOT_THIS, _AT_LEAST, _BOUNDED, _FIRST, _EARLY = (1 << place for place in range(16, 22))
_SURE = _ONE_MORE | _AT_LEAST | _FIRST  # the bit above each of them: it may be meant
_RANKS = _SURE | _SURE << 1
_NOT = frozenset("not nicht no".split())
_PARTED = frozenset("the my your our his her their these those of".split())  # behind "all"
_SAID_FIRST = frozenset("the my your our his her their was".split())
_NOT_FIRST = frozenset("name names time times vez mal day thing things step place aid class of".split())

WORDS = frozenset[str]().union(
    *(_OWNERS, _ME, _TURNED, _GERMAN_PARTICLES, _HOLDING, _KINDS, _ANOTHER, _OTHERS, _LEAST, _LIMITED, _EARLIEST),
    ("you", "all"),
)


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
    if not known.isdisjoint(_ANOTHER):
        bits |= _NOT_THIS | (_ONE_MORE if _is_one_more(words) else 0)
    elif not known.isdisjoint(_OTHERS):
        bits |= _NOT_THIS
    if not known.isdisjoint(_LEAST) or ("least" in known and words[words.index("least") - 1] == "at"):
        bits |= _AT_LEAST | _BOUNDED
    elif not known.isdisjoint(_LIMITED):
        bits |= _BOUNDED
    if not known.isdisjoint(_EARLIEST):
        bits |= _EARLY | (_FIRST if "first" in known and _is_ranked_first(words) else 0)
    if "all" in known and _is_not_all(words):
        bits |= _PART
    # Getting a thing to work is another thing than getting it.
    return bits | _WORKING if "get" in words and not _RUNS.isdisjoint(words) else bits


def kinds_differ(one: int, other: int) -> bool:
    """One is of a kind, the other is not; or one is surely another, several, the first, and of the other nothing is said."""
    if (one ^ other) & ~_RANKS:
        return True
    return bool((one & _SURE) << 1 & ~other or (other & _SURE) << 1 & ~one)


def _is_one_more(words: Sequence[str]) -> bool:
    """ "Another card", not "from one to another", "another time"."""
    place = next(at for at, word in enumerate(words) if word in _ANOTHER)
    after = words[place + 1] if place + 1 < len(words) else ""
    return bool(after) and after not in lexicon.NO_ITEM and after not in lexicon.UNITS and after not in _NOT_FIRST


def _is_ranked_first(words: Sequence[str]) -> bool:
    """ "The first chair", not "What do I do first?", "my first name"."""
    place = words.index("first")
    after = words[place + 1] if place + 1 < len(words) else ""
    return place > 0 and words[place - 1] in _SAID_FIRST and bool(after) and after not in _NOT_FIRST


def _is_not_all(words: Sequence[str]) -> bool:
    """ "Not … all my money", but not "not … at all", "all wrong"."""
    place = words.index("all")
    after = words[place + 1] if place + 1 < len(words) else ""
    return after in _PARTED and not _NOT.isdisjoint(words[max(place - 5, 0) : place])


def role(words: Sequence[str], known: frozenset[str]) -> int:
    """Who does something to whom, the last that is said: a bit for me to you, one for you to me."""
    if known.isdisjoint(_ME) and "you" not in known:
        return 0
    for place in range(len(words) - 1, 0, -1):
        word, verb = words[place], words[place - 1]
        if (word not in _ME and word != "you") or verb in _GIVING or not verb:
            continue
        if place + 1 < len(words) and words[place + 1] in _ACTS:
            continue
        for one in reversed(words[max(place - _MOST_TO_OBJECT, 0) : place - 1]):
            if one in _PERSONS:
                if (one == "you") != (word == "you"):
                    return _I_TO_YOU if word == "you" else _YOU_TO_ME
                break
            if one not in _BEFORE_A_VERB:
                break
    return 0


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
        if word not in lexicon.NO_ITEM and word not in _AGAINST:
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
