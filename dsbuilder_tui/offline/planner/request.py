"""A request for a dataset: its parts as the person listed them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.offline.planner.counts import share, whole
from dsbuilder_tui.offline.planner.manner_phrases import is_courtesy, is_file_name, names_no_category
from dsbuilder_tui.offline.planner.modifiers import (
    JOIN,
    LANGUAGE_NAMES,
    OWN_CATEGORIES,
    Modifier,
    in_languages,
    joined_values,
    manners_in,
    modifier_in,
)
from dsbuilder_tui.offline.planner.naming import bare_phrase, slug, words_of
from dsbuilder_tui.offline.planner.paraphrases import plain_list
from dsbuilder_tui.offline.planner.topics import ApplicationTopic, Topics
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

APPLICATION_NOUNS = (
    "chatbot|bot|assistant|agent|app|application|copilot|co-pilot|helper|help desk|helpdesk|advisor|concierge|tutor|"
    "chat|llm|model|system|product|service|platform|website|shop|store|server"
)
_SUBJECT = re.compile(
    rf"(?:\bfor |\bto test |\bof |\btests? |\bevaluat\w+ |\bwith |\bis |\bhave |\b(?:i|we) (?:own|run|built) )"
    rf"(?:an?|the|our|my|this|their|its|his|her) ((?:[\w'’&-]+ ){{0,6}}?(?:{APPLICATION_NOUNS})s?"
    rf"(?: (?:{APPLICATION_NOUNS}))?)\b(?! \d(?!\d* [a-z][\w -]*,)|['’]|s['’])(?: (?:that|which|who) "
    rf"(?:(?! (?:and|with) \d)[^:;,.\n])*)?(?: (?:(?:described|defined) )?(?:in|at|under|from) {MASK})?"
    # “a RAG bot on our product docs”
    r"(?: (?:on|over) (?:our|my|their|its) [\w'’-]+(?: [\w'’-]+){0,2}(?=\s*(?:[.,:;\n]|$)))?",
    re.IGNORECASE,
)
_FOR_DOMAIN = re.compile(
    r"\b(?:cases|dataset|data|set|examples|questions|tests|suite) (?:for|of|about|on) (?:an? |the |our |my )?"
    rf"((?:[\w'&-]++ ?){{1,4}}?)(?=\s*(?:[:;,.(\n]|$|with |covering |about |(?:all )?in (?:{LANGUAGE_NAMES})\b))",
    re.IGNORECASE,
)
_ORGANISATIONS = (
    "shop|store|bakery|restaurant|café|cafe|bar|hotel|hostel|bank|clinic|hospital|pharmacy|dentist|doctor|surgery|practice|school|"
    "university|college|kindergarten|airline|airport|railway|company|start-?up|agency|firm|business|brand|bureau|office|gym|"
    "library|museum|theatre|theater|cinema|zoo|farm|brewery|winery|bookshop|bookstore|webshop|marketplace|provider|operator|"
    "insurer|insurance|charity|ngo|club|festival|retailer|supermarket|florist|butcher|plumber|electrician|garage|salon|"
    "hairdresser|barber|spa|landlord|authority|council|city|town|ministry|embassy|team|studio|factory|workshop|dealership|"
    "dealer|publisher|newspaper|magazine|broker|fund|utility|carrier|courier|laundry|nursery|boutique|manufacturer"
)
# “60 refunds for a bakery”, and whatever stands before a colon: “60 cases for the Smith family: refunds, orders”
_FOR_SOMEBODY = re.compile(
    rf"\bfor (?:an?|the|our|my|their) (?P<who>(?:[\w'’&-]+ ){{0,3}}?(?:{_ORGANISATIONS})s?)(?=\s*(?:[:;,.!(\n]|$|"
    rf"(?:with|covering|about|and|in) ))|\b(?:cases|dataset|data|set|examples|tests|suite) for (?:an?|the|our|my|their) "
    r"(?P<before>(?:[\w'’&-]+ ?){1,4})(?=\s*:(?!\s*\d+\s*$))",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"(?:an? |the |my |our )?((?:[\w'&-]+ ){{0,5}}(?:{APPLICATION_NOUNS}))(?=\s*[,:;.]|$| (?:dataset|test|eval))",
    re.IGNORECASE,
)
_NAME = re.compile(
    rf"[,;]?\s*(?:and )?(?:\b(?:call|name) it|\b(?:called|named)|\bdataset name(?: is)?:?)\s*({MASK}|[\w-]+)",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    rf"[,(;]?\s*(?:\b(?:for example|for instance|e\.g\.?|such as|like|example|"
    rf"examples)[:,]?)\s*({MASK}(?:\s*(?:,|and|or)\s*{MASK})*)\)?",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"(?<![\w.,#$€£/-])-?(?:\d+/\d+|\d+(?:\.\d+)?%|\d+)(?![\w/%]|\.\d)")
_SEPARATOR = re.compile(r"[;,\n•!?:+—–]|\.(?=\s|$)|\s(?:and|plus|then|&)\s|\s[-*]\s|^\s*[-*]\s")
_FILLER = frozenset(
    "i we you me us please need want wants would like d to build create make generate give get have with of a an the total "
    "about around roughly approximately exactly some maybe let's let lets do can could i'd we'd dataset data set "
    "evaluation eval test tests suite case cases hi hello hey ok okay so now just that it should hold contain containing "
    "holding includes including include another more extra additional at least most plan design write produce prepare for "
    "is are be new change there will all in them my our add take use put only then also no actually rather split divide break "
    "up everything plan".split()
)
# Of what every plan has that says nothing of what is written besides the cases.
_WITH_ANSWERS = re.compile(
    r",?\s*\b(?:and )?(?:(?:each|all|every)(?: (?:case|one|cases|of them))? )?with (?:the |an |their )?"
    r"(?:expected|reference|right|correct|ideal|gold|golden) "
    r"(?:answers?|responses?|repl(?:y|ies)|outputs?)\b(?: (?:for|to) (?:each|all|every)(?: (?:cases?|one|of them))?)?",
    re.IGNORECASE,
)
# “three equal groups:” says how a list is weighted, which is so without it; “of 20” says how many each has.
_EQUAL_GROUPS = re.compile(
    r"\b(?:(?:split|divided?|spread|grouped?)(?: (?:it|them))? )?(?:in(?:to)? |with |over |as )?(?:\d+|some|the)? ?"
    r"(?:equal|even|same|equally|evenly|identical)(?:[ -](?:sized?|large|big|numbers? of))? "
    r"(?:groups?|parts?|categor(?:y|ies)|buckets?|shares?|sets?|classes|thirds|kinds|topics|slices|portions|chunks)\b"
    r"(?: of (?P<each>\d+)(?: cases)?(?: each)?)?(?: (?:of|for|on|about|namely|called|with)(?= ))?\s*[:,–—-]?",
    re.IGNORECASE,
)
_REST = re.compile(
    r"^(?:and |with |make )*(?:the |all the )?(?:(?:other|remaining) \d/\d|rest|remainder|remaining(?: ones| cases)?|others?)\b"
    r"(?: (?:of (?:them|the cases|it)|split|spread|divided|evenly|equally|between|over|across|among|should be|"
    r"is|are))*(.*)$",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\b(?:(?:split|spread|divided?|distributed?)\b ?)?(?:evenly|equally|uniformly|in equal parts|half and half)\b"
    r"|\b(?:split|spread|divided?|distributed?) ?(?=between|over|across|among|into)|\b(?:between|over|across|"
    r"among|into)\b",
    re.IGNORECASE,
)
_CASES = re.compile(
    r"\b(?:cases?|examples|questions|dataset|prompts|queries|messages|requests|category)\b", re.IGNORECASE
)
_CASES_FIRST = re.compile(
    r"\s*(?:test )?(?:cases|examples|questions|prompts|queries|messages|requests)\b", re.IGNORECASE
)
_HOW_MANY_CATEGORIES = re.compile(
    r",?\s*\b(?:with|in|over|across|into|from) (\d{1,3}) (?:different |usual |separate )?(?:categories|topics|groups|kinds)"
    r"(?=\s*(?:$|[.,;\n]))",
    re.IGNORECASE,
)
_EACH = re.compile(
    r"\b(?:of |for |per |in )?(?:each|apiece|every (?:one|category)|per category)(?: of(?: them)?)?\b", re.IGNORECASE
)
_OF_THEM = re.compile(
    r"^\s*(?:out )?of (?:them|these|those|it|all|which|the cases|the total|the dataset)\b", re.IGNORECASE
)
_NO_ITEM = re.compile(
    r"(?:i|we|you|it's|they|don't|do|make|please|thanks?|thank you|hello|hi|hey|ok|okay|yes|no|not|that|"
    r"this|there|where|"
    r"what|why|how|when|ignore|delete|drop|select|if|because|but|also|use|write|remember|sure|cheers|using|start|go)\b"
    # “it support” is a subject, and so is “IT rollout”; “it takes a day” is none.
    r"|(?!(?-i:IT) \w)it\b(?! (?:support|help|service|security|department|ticket|issue|problem|outage|incident|"
    r"infrastructure|operation|equipment|system|question|request|hardware|software|polic|training|asset|"
    r"procurement|team|staff|account|access|network|compliance|onboarding|administration|maintenance))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"\b(?:should|must|shall|needs? to|ha(?:s|ve) to|ought to)\b", re.IGNORECASE
)  # names no category
_WISH = re.compile(
    r"(?:please )?(?:make|keep|let|phrase|word) (?:them|it|all|each|every) .+|in (?:the|a) (?:style|voice|manner) of .+",
    re.IGNORECASE,
)  # of all cases


@dataclass(frozen=True, slots=True)
class Item:
    """One part of a list: what, and how much of it (a count, a share, or neither)."""

    phrase: str
    count: int | None = None
    share: Fraction | None = None
    each: bool = False
    part_of_last: bool = False
    modifier: Modifier | None = None
    also: tuple[Modifier, ...] = ()  # further manners, of other axes
    language: Modifier | None = None  # beside a modifier of another kind
    one_language: bool = False  # … which is one of several


@dataclass(frozen=True, slots=True)
class Request:
    """``subject`` is the application; ``left_out`` what could not be read."""

    items: tuple[Item, ...] = ()
    early: tuple[str, ...] = ()  # what may be a list that only its end shows to be one: "refunds, returns, 15 each"
    totals: tuple[int, ...] = ()
    subject: str = ""
    name: str = ""
    topic: ApplicationTopic | None = None
    manners: tuple[Modifier, ...] = ()  # of every case, of each axis one
    language: Modifier | None = None  # … and what it is written in
    examples: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    bad_number: str = ""
    categories: int | None = None  # how many, where none is named
    of_cases: bool = False  # it speaks of cases, questions or a dataset


def examples_in(heard: Utterance, said: str) -> tuple[str, tuple[str, ...]]:
    """What was said without its quoted examples, and the examples."""
    found: list[str] = []
    for match in _EXAMPLE.finditer(said):
        found += [heard.piece(mask) for mask in re.findall(MASK, match[1]) if heard.quoted(mask)]
    return _EXAMPLE.sub(" ", said), tuple(text for text in found if text.strip())


def read_request(heard: Utterance, topics: Topics) -> Request:
    """Reads a whole message as a request for a dataset."""
    said, examples = examples_in(heard, heard.said)
    name = ""
    if named := _NAME.search(said):
        name = slug(heard.full(named[1]))
        said = said[: named.start()] + " " + said[named.end() :]
    said = plain_list(_WITH_ANSWERS.sub(" ", said))
    said, subject, topic = _subject(said, topics)
    categories = None
    if of_many := _HOW_MANY_CATEGORIES.search(said):
        categories, said = whole(of_many[1]), said[: of_many.start()] + said[of_many.end() :]
    groups = _EQUAL_GROUPS.search(said)
    if groups:
        each = f"{groups['each']} each" if groups["each"] else ""
        said = f"{said[: groups.start()]} : {each} : {said[groups.end() :]}"
    for joined in topics.joined:
        said = re.sub(
            rf"\b{re.escape(joined)}\b", lambda f: f.group().replace(" and ", f" {JOIN} "), said, flags=re.IGNORECASE
        )
    said = joined_values(said)
    # "refunds: 20" and "refunds (20)" say what "20 refunds" says.
    said = re.sub(r"\s*[:=x×(-]\s*(-?\d+(?:/\d+|%)?)\s*(?:cases)?\)?\s*(?=[,;\n]|$|\.(?:\s|$)|\sand\s)", r" \1", said)
    said = re.sub(r"[()\[\]]", " ", said)
    said = re.sub(r"\b(?:mostly|mainly|primarily)\b", "2/3", said, flags=re.IGNORECASE)
    request = Request(
        subject=subject,
        name=name,
        topic=topic,
        examples=examples,
        categories=categories,
        of_cases=bool(_CASES.search(said)),
    )
    listing = bool(groups) and not said[: groups.start()].strip(" ,:;") if groups else False
    for segment, ends_with in _segments(said):
        if segment:
            request, listing = _with_segment(request, segment, listing, heard)
        listing = listing or (ends_with == ":" and bool(request.totals or request.subject or groups))
    known = tuple(Item(bare_phrase(words)) for words in request.early if topics.knows(bare_phrase(words)))
    return _with_first_modifiers(request) if request.items else replace(request, items=known)


def _segments(said: str) -> list[tuple[str, str]]:
    """The parts of a list, each with the separator behind it; what is named once for several stands in each.

    “20 angry and 20 polite refunds” says what “20 angry refunds and 20 polite refunds” says.
    """
    parts: list[tuple[str, str]] = []
    at = 0
    for cut in [*_SEPARATOR.finditer(said), None]:
        segment = said[at : cut.start() if cut else len(said)].replace(JOIN, "and").strip()
        parts.append((segment, cut.group() if cut else ""))
        at = cut.end() if cut else at
    for place in range(len(parts) - 2, -1, -1):
        segment, ends_with = parts[place]
        if not (shared := _noun_behind_modifier(parts[place + 1][0])) or ends_with.strip() not in ("and", "&", ","):
            continue
        quantity = _QUANTITY.search(segment)
        base, modifier = modifier_in(segment[quantity.end() :]) if quantity else ("", None)
        if modifier and not bare_phrase(base) and not _OF_THEM.match(segment[quantity.end() :] if quantity else ""):
            parts[place] = (f"{segment} {shared}", ends_with)
    return parts


def _noun_behind_modifier(segment: str) -> str:
    """“refunds” of “20 polite refunds”; nothing of “20 refunds in Spanish”."""
    quantity = _QUANTITY.search(segment)
    said = segment[quantity.end() :].strip() if quantity else ""
    base, modifier = modifier_in(said)
    noun = bare_phrase(base) if modifier else ""
    return noun if noun and said.lower().endswith(noun.lower()) else ""


def _with_first_modifiers(request: Request) -> Request:
    """With modifiers that a list begins with as categories (“20 long, 20 short”); one alone speaks of some of all cases."""
    if not _only_modifiers(request.items[:1]):
        return request
    spoken = [item.modifier.values for item in request.items if item.modifier and item.modifier.language]
    shares = {item.share for item in request.items}
    if len(spoken) == len(request.items) and shares == {Fraction(1, len(spoken))}:  # “half in German, half in Spanish”
        return replace(request, items=(), language=in_languages(one for values in spoken for one in values))
    if len(request.items) == 1:
        return replace(request, items=(replace(request.items[0], part_of_last=True),))
    named = (
        replace(item, phrase=item.modifier.ending.replace("_", " "))
        if item.modifier and _only_modifiers((item,))
        else item
        for item in request.items
    )
    return replace(request, items=tuple(named))


def _only_modifiers(items: tuple[Item, ...]) -> bool:
    """Whether a list holds so far nothing but counts of cases that are written in some way."""
    return all(
        item.modifier
        and not item.phrase
        and (item.count is not None or item.share is not None)
        and not (item.each or item.part_of_last)
        for item in items
    )


def _subject(said: str, topics: Topics) -> tuple[str, str, ApplicationTopic | None]:
    for found in _SUBJECT.finditer(said):
        words = words_of(found[1])
        return f"{said[: found.start()]} : {said[found.end() :]}", words, topics.domain(found.group())
    if somebody := _FOR_SOMEBODY.search(said):
        words = words_of(somebody["who"] or somebody["before"])
        return f"{said[: somebody.start()]} : {said[somebody.end() :]}", words, topics.domain(words)
    for found in _FOR_DOMAIN.finditer(said):
        words = words_of(found[1])
        topic = topics.domain(words)
        if topic and not topics.knows(words):
            return f"{said[: found.start(1)]} : {said[found.end(1) :]}", words, topic
    leading = _LEADING.match(said)
    listed = leading is not None and said[leading.end() :].lstrip().startswith(":")  # “a shop bot: 20 refunds”
    if leading and (listed or _CASES.search(said)) and (topic := topics.domain(leading[1])):
        return f": {said[leading.end() :]}", words_of(leading[1]), topic
    return said, "", None


def _with_segment(request: Request, segment: str, listing: bool, heard: Utterance) -> tuple[Request, bool]:
    each = bool(_EACH.search(segment))
    plain = _EACH.sub(" ", segment)
    plain = " ".join(_SPLIT.sub(" ", plain).split())
    if rest := _REST.match(plain):
        return _with_item(request, Item(rest[1]), heard, True)
    quantity = _QUANTITY.search(plain)
    if listing or request.items:
        if is_courtesy(plain):
            return request, listing
        known = modifier_in(heard.full(plain))
        if not (known[1] and not known[0]) and names_no_category(plain if not each else segment):
            return replace(request, left_out=(*request.left_out, words_of(heard.full(segment)))), listing
    if quantity is None:
        if introduced := re.search(
            r"\b(?:about|covering|on|categories|regarding|topics)\b:? ?(.+)$", plain, re.IGNORECASE
        ):
            listing, plain = True, introduced[1] if not listing else plain
        if not introduced and (_WISH.match(plain) or (listing and _SENTENCE.search(plain))):
            return replace(request, left_out=(*request.left_out, words_of(heard.full(segment)))), listing
        if not listing or _NO_ITEM.match(plain):
            noted = (
                listing
                and bare_phrase(plain)
                and not re.match(
                    r"(?:please|thanks?|thank you|ok|okay|no$|yes|sorry|wait|hm+|actually|cheers|hello|hi|hey)\b",
                    plain,
                    re.IGNORECASE,
                )
            )
            if noted:
                return replace(request, left_out=(*request.left_out, words_of(heard.full(plain)))), listing
            if not _NO_ITEM.match(plain) and len(plain.split()) <= 4 and bare_phrase(plain):
                return replace(request, early=(*request.early, plain)), listing
            return request, listing
        return _with_item(request, Item(plain), heard, True)
    before, after = plain[: quantity.start()], plain[quantity.end() :]
    text = quantity.group()
    part = share(text)
    if text.startswith("-") or (not whole(text) if text.isdigit() else part is None):
        return replace(request, bad_number=text), listing
    unit = _CASES_FIRST.match(after)
    manner = after[unit.end() :].strip() if unit else ""
    if unit and text.isdigit() and names_no_category(manner) and modifier_in(heard.full(manner))[1] is None:
        left = () if is_courtesy(manner) else (words_of(heard.full(manner)),)
        request = replace(request, left_out=(*request.left_out, *left))
        after = unit.group()
    amount: dict[str, int | Fraction | None] = {"count": whole(text)} if text.isdigit() else {"share": part}
    chatter = [word for word in re.findall(r"[\w']+", before.lower()) if word not in _FILLER]
    if not chatter:
        of_last = bool(_OF_THEM.match(after))
        phrase = _OF_THEM.sub("", after)
    elif not bare_phrase(after) and len(chatter) <= 5 and not _NO_ITEM.match(before):
        of_last, phrase = False, before
    elif re.match(r"\s*(?:[\w-]+ )?(?:cases|examples|questions|instances)\b", after, re.IGNORECASE):
        of_last, phrase = False, after
    else:
        return replace(request, left_out=(*request.left_out, words_of(heard.full(plain)))), listing
    return _with_item(request, Item(phrase, each=each, part_of_last=of_last, **amount), heard, listing)  # type: ignore[arg-type]


def _with_item(request: Request, item: Item, heard: Utterance, listing: bool) -> tuple[Request, bool]:
    masks = [mask for mask in re.findall(MASK, item.phrase) if not heard.quoted(mask)]
    if any(heard.is_path(mask) or is_file_name(heard.piece(mask)) for mask in masks):  # a path names no category
        return replace(request, left_out=(*request.left_out, one_line(heard.full(item.phrase), 80))), listing
    words = heard.full(item.phrase)
    base, manners = manners_in(words)
    base, modifier = (base, manners[0]) if manners else modifier_in(words)
    if not manners and modifier and re.search(r"\bwith [\w ]+$", base) and (beside := modifier_in(base))[1]:
        base, manners = beside[0], (modifier, beside[1])  # “angry refunds with typos”
    if manners:
        item = replace(item, also=manners[1:])
    if modifier and modifier.language and (beside := modifier_in(base))[1]:  # “angry refunds in German”
        item = replace(item, language=modifier)
        base, modifier = beside
    letter = re.fullmatch(r"[a-zA-Z]", item.phrase.strip())
    phrase = letter[0] if letter else bare_phrase(base)
    if modifier and not phrase and not item.part_of_last and modifier.ending in OWN_CATEGORIES:
        phrase, modifier = modifier.ending.replace("_", " "), None  # a category of its own
    if phrase and (
        _SENTENCE.search(phrase)
        or len(phrase) > 60
        or len(phrase.split()) > 6
        or not slug(phrase)
        or not re.search(r"[^\W\d_]", phrase)
    ):
        return replace(request, left_out=(*request.left_out, words_of(phrase))), listing
    last = request.items[-1] if request.items else None
    if (
        modifier
        and not phrase
        and not item.part_of_last
        and last
        and last.modifier
        and last.modifier.axis == modifier.axis
    ):
        phrase = last.phrase  # "50 refunds in Spanish and 50 in German"
    item = replace(item, phrase=phrase, modifier=modifier)
    if not phrase and item.count is None and item.share is None:
        return _with_manner(request, item, words), listing
    if item.each and not phrase and not request.items and request.early:
        early = tuple(Item(bare_phrase(heard.full(words))) for words in request.early)
        return replace(request, items=(*(one for one in early if slug(one.phrase)), item)), True
    if not phrase and item.count is not None and not item.each and not (item.part_of_last and request.items):
        if modifier and not modifier.language and request.totals and listing and _only_modifiers(request.items):
            return replace(request, items=(*request.items, item)), True
        if modifier and (request.items or request.totals):
            return replace(request, items=(*request.items, replace(item, part_of_last=True))), True
        return _of_all(replace(request, totals=(*request.totals, item.count)), item), listing
    if not phrase and modifier and request.items and not (item.share and _only_modifiers(request.items)):
        item = replace(item, part_of_last=True)  # but for “60% easy, 40% hard”
    elif item.part_of_last and phrase and not modifier:
        item = replace(item, part_of_last=False)  # "20 of them refunds" names a category of its own
    return replace(request, items=(*request.items, item)), True


def _of_all(request: Request, item: Item) -> Request:
    """With the item's modifier, and its language, as those of every case."""
    for one in filter(None, (item.language, item.modifier)):
        if one.language:
            request = replace(request, language=one)
        else:
            request = replace(request, manners=(*(m for m in request.manners if m.axis != one.axis), one))
    return request


def _with_manner(request: Request, item: Item, words: str) -> Request:
    """With a bare modifier as that of every case: “seat changes, refunds, in a friendly tone”. Another one of its kind is
    told."""
    named = [one for one in (item.language, item.modifier) if one]
    there = {one.axis: one for one in (request.language, *request.manners) if one}
    if all(there.get(one.axis) == one for one in named):
        return request
    if item.part_of_last or any(one.axis in there for one in named):
        return replace(request, left_out=(*request.left_out, words_of(words)))
    return _of_all(request, item)
