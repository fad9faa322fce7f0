"""Reading an example into a template, and saying its core in other words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.offline.writer.values import BRACES, PRODUCT_HEADS, shown_braces

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_ENTITY = re.compile(
    rf"""
    (?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<date>\d{{4}}-\d\d?-\d\d? | \d\d?[/.]\d\d?[/.]\d{{2,4}}
      | {_MONTH}\s+\d\d?(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?
      | \d\d?(?:st|nd|rd|th)?\s+{_MONTH}\b(?:,?\s+\d{{4}}\b)?)
  | (?P<money>[$€£]\s?\d[\d.,]*\d|[$€£]\s?\d|\d[\d.,]*\s?(?:€|EUR|USD|GBP|dollars|euros|pounds)\b)
  | (?P<id>\#\s?[\w-]*\d[\w-]* | \b(?=[A-Z\d-]*\d{{2}})(?=[\d-]*[A-Z])[A-Z\d]+(?:-[A-Z\d]+)*\b | \b(?!(?:19|20)\d\d\b)\d{{4,}}\b)
  | (?P<weekday>\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)
  | (?P<number>(?<![\w.,-])\d{{1,2}}(?=\s+(?:days?|weeks?|months?|years?|items?|people|persons?|nights?|pieces?)\b))
  | (?P<name>(?<=\bname\sis\s)[A-Z]\w+(?:\s[A-Z]\w+)? | (?<=\b(?:Mr|Ms|Dr)\.\s)[A-Z]\w+)
  | (?P<city>(?<=\bfrom\s)[A-Z][a-z]+(?:\s[A-Z][a-z]+)? | (?<=\bto\s)[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)
    """,
    re.VERBOSE,
)
_MOST_READ = 4000  # characters; looking for what may vary takes more than linear time
_MOST_SAID_ANEW = 1000  # characters of a sentence that a rule says in other words
_WORDS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_MODIFIER = re.compile(
    r"(?:wireless|smart|electric|portable|new|red|blue|black|white|green|leather|wool|winter|summer|gaming|running|"
    r"travel|noise-cancelling|mechanical|digital|mini|pro|steel|wooden|cotton|waterproof)$",
    re.IGNORECASE,
)
_PLACEHOLDER_END = re.compile(r"\s*(?:,\s*)?(?:\b(?:number|no\.?|nr\.?|id)\s*)?\{id:[^{}]*\}")


_BARE_NOUN = re.compile(
    r"((?:^|\b(?:for|of|on|about|with|to|from|cancel|return|track|change|is) ))"
    r"((?:order|invoice|ticket|booking|reservation|account|case|claim|parcel|shipment|flight)"
    r"(?:\s+(?:number|no\.?|nr\.?|id))?\s*\{id:)",
    re.IGNORECASE,
)


def read_template(text: str) -> str:
    """The example with what may vary as ``{kind:original}``: ids, names, products, dates, amounts.

    One longer than 4,000 characters stays as it is.
    """
    text = " ".join(text.split()).translate(BRACES)
    if len(text) > _MOST_READ:
        return text
    marked = _ENTITY.sub(lambda found: f"{{{found.lastgroup}:{found.group()}}}", text)
    return _mark_products(marked)


_ANY_PRODUCT = frozenset(
    "a an the my our your this that these those i me you we us it is are was were do does did can could would will may "
    "have has had want need like to of for from on in at by with and or about tell give show some any more information "
    "info details detail question please know what which how much many when where who cost costs price buy bought buying "
    "order ordered ordering return returning refund exchange cancel deliver delivered delivery shipped ship stock "
    "available send sent arrived arrive recommend interested looking look there here back money paid get got if just "
    "help hello hi thanks thank be not new one describe number d m ve s t ll re".split()
)


def _mark_products(text: str) -> str:
    """The product of a sentence that would fit any product; in "does the lamp dim?" the lamp has to stay."""
    for found in _WORDS.finditer(text):
        head = found.group().lower()
        if head not in PRODUCT_HEADS or text[: found.start()].count("{") != text[: found.start()].count("}"):
            continue
        start = found.start()
        before = text[:start].rstrip()
        last = before.rsplit(" ", 1)[-1]
        if _MODIFIER.match(last):
            start = len(before) - len(last)
        others = _WORDS.findall(re.sub(r"\{[^{}]*\}", " ", text[:start] + " " + text[found.end() :]).lower())
        if all(word in _ANY_PRODUCT for word in others):
            return f"{text[:start]}{{product:{text[start : found.end()]}}}{text[found.end() :]}"
    return text


def without_ids(template: str) -> str:
    """The template without its ids: a request that lacks a detail."""
    return _PLACEHOLDER_END.sub("", _BARE_NOUN.sub(r"\1my \2", template))


def shown(template: str) -> str:
    """The template as a person reads it: ``Where is my order {id}?``"""
    return shown_braces(re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", template))


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    forms: tuple[str, ...]


def _rule(pattern: str, *forms: str) -> _Rule:
    return _Rule(re.compile(pattern + r"\s*[?.!]*\Z", re.IGNORECASE), forms)


_BE = r"(?P<be>is|are|was|were)"
_RULES = (
    _rule(
        rf"where(?:'s| {_BE}) (?P<x>(?:my|our|the|this|that) .+?)",
        "Where {be} {x}?", "Can you tell me where {x} {be}?", "Could you check where {x} {be}?",
        "I'd like to know where {x} {be}.", "Do you know where {x} {be} right now?", "Any idea where {x} {be}?",
        "I'm trying to find out where {x} {be}.", "I'm still waiting for {x}.", "What happened to {x}?",
        "What's the status of {x}?", "Is there any news about {x}?", "I need an update on {x}.",
        "Could you look up {x} for me?", "How is {x} coming along?", "When can I expect {x}?",
        "I have no idea where {x} {be}.", "Please find {x}.", "Has {x} been lost?", "Why haven't I got {x} yet?",
    ),
    _rule(
        rf"(?P<wh>what|when|who|why|how) {_BE} (?P<x>(?:my|our|your|the|this|that|a|an) .+?)",
        "{wh} {be} {x}?", "Can you tell me {wh} {x} {be}?", "I'd like to know {wh} {x} {be}.",
        "Do you know {wh} {x} {be}?", "Could you explain {wh} {x} {be}?", "I was wondering {wh} {x} {be}.",
        "I can't find out {wh} {x} {be}.", "Please tell me {wh} {x} {be}.", "I need to know {wh} {x} {be}.",
        "So, {wh} {be} {x}?",
    ),
    _rule(
        r"(?P<wh>what|when|where|why|how|how much|how many \w+|how long|which \w+) "
        r"(?P<aux>do|can|could|should|will|would|must) (?P<s>i|you|we|they|it) (?P<x>.+?)",
        "{wh} {aux} {s} {x}?", "Can you tell me {wh} {s} {aux} {x}?", "I'd like to know {wh} {s} {aux} {x}.",
        "I don't know {wh} {s} {aux} {x}.", "Could you explain {wh} {s} {aux} {x}?", "Please tell me {wh} {s} {aux} {x}.",
        "I was wondering {wh} {s} {aux} {x}.", "I need to know {wh} {s} {aux} {x}.", "Any idea {wh} {s} {aux} {x}?",
        "I'm trying to find out {wh} {s} {aux} {x}.",
    ),
    _rule(
        r"i (?:want|would like|need|wish)(?P<np> (?:a|an|my|the|some|another|more) .+?)",
        "I want{np}.", "I'd like{np}.", "I need{np}.", "Can I get{np}?", "How do I get{np}?", "Could I have{np}, please?",
        "I'm asking for{np}.", "I'm entitled to{np}, am I not?", "Please help me get{np}.", "Is it possible to get{np}?",
        "What do I have to do to get{np}?", "I'm writing because I want{np}.", "Who can give me{np}?",
        "I'd like to request{np}.", "I'm still hoping for{np}.", "Please arrange{np}.", "Am I eligible for{np}?",
        "I was told I could get{np}.",
    ),
    _rule(
        r"(?:i (?:want|would like|need|wish)|i'd like) to (?P<v>.+?)",
        "I want to {v}.", "I'd like to {v}.", "I need to {v}.", "Can I {v}?", "How do I {v}?", "Is it possible to {v}?",
        "Please help me {v}.", "I'm trying to {v}.", "What do I need to {v}?", "I've been trying to {v}.",
        "Where can I {v}?", "Could you help me {v}?", "Am I allowed to {v}?", "What is the way to {v}?",
    ),
    _rule(
        r"(?:can|could|may) (?:i|we) (?P<v>.+?)",
        "Can I {v}?", "Could I {v}?", "Is it possible to {v}?", "Am I able to {v}?", "I'd like to {v}.",
        "I want to know if I can {v}.", "How do I {v}?", "Would it be possible to {v}?", "Am I allowed to {v}?",
        "What do I have to do to {v}?", "I was hoping to {v}.", "Please let me {v}.",
    ),
    _rule(
        r"(?:please |(?:can|could|would) you (?:please )?)?(?:tell me|give me (?:some )?information|inform me|"
        r"talk to me) (?:more )?about (?P<x>.+?)(?:,? please)?",
        "Tell me about {x}.", "What can you tell me about {x}?", "I'd like to know more about {x}.",
        "I have a question about {x}.", "Could you give me some details on {x}?", "What should I know about {x}?",
        "Please describe {x}.", "I'm interested in {x}.", "Can you sum up {x} for me?", "I'm looking for information on {x}.",
        "What makes {x} special?", "How good is {x}?", "Is {x} worth it?", "What do people say about {x}?",
        "I'm thinking about {x}. What do I need to know?", "Explain {x} to me.", "Where do I find details on {x}?",
        "I can't decide on {x}. Can you help?", "Do you recommend {x}?",
    ),
    _rule(
        r"(?:please |(?:can|could|would|will) you (?:please )?)?(?P<v>(?:show|explain|cancel|change|update|book|send|"
        r"find|help|write|translate|give|check|fix|add|remove|delete|open|close|create|make|compare|recommend|suggest|"
        r"summari[sz]e|list|describe|convert|calculate|schedule|transfer|block|reset|refactor|review|generate|draft|"
        r"look|set|turn|get|order|return|track|connect|reserve|renew|extend|confirm|move|rename|sort|tell|let|"
        r"call) .+?)"
        r"(?:,? please)?",
        "{v}.", "Please {v}.", "Can you {v}?", "Could you {v}?", "I need you to {v}.", "I'd like you to {v}.",
        "{v}, please.", "Would you be able to {v}?", "It would help me a lot if you could {v}.", "Are you able to {v}?",
        "What I need: {v}.", "Is there a way to {v}?", "Would you please {v}?",
    ),
    _rule(
        r"(?P<x>(?:my|our|the) .+? (?:is|are|was|were|has|have|had|does|do|did|keeps?|won't|can't|isn't|doesn't|hasn't|"
        r"stopped|broke|arrived|shows?|says?) .+?)",
        "{x}.", "It seems {x}.", "I've noticed that {x}.", "The problem is that {x}.", "Just so you know, {x}.",
        "I'm writing because {x}.", "{x}. What can I do?", "{x}. Is that normal?", "Why is it that {x}?",
        "For some reason {x}.", "I don't understand why {x}.", "{x}. Can you help?", "{x}. Who do I talk to?",
    ),
)  # fmt: skip

_LEAD_INS = (
    "{core}", "Here's my question: {core}", "I was wondering: {core}", "What I'd like to ask: {core}",
    "I need help with this: {core}", "My request: {core}", "It's about the following: {core}", "So: {core}",
    "Let me put it like this: {core}", "Maybe you can help: {core}", "I keep asking myself: {core}",
    "In short: {core}",
)  # fmt: skip


def paraphrases(template: str) -> list[str]:
    """Ways to say a template's core, the original among them, each a full sentence."""
    text = template.strip()
    for rule in _RULES if len(text) <= _MOST_SAID_ANEW else ():
        found = rule.pattern.match(text)
        if found and not re.search(r"[.!?] +\w", text):
            parts = {name: lower_first(value) for name, value in found.groupdict().items() if value}
            parts.setdefault("be", "is")
            forms = [sentence(_insert(form, parts)) for form in rule.forms]
            return list(dict.fromkeys([sentence(text), *(_mend(form) for form in forms)]))
    return introduced(sentence(text), _LEAD_INS)


def introduced(core: str, forms: Sequence[str]) -> list[str]:
    """A core behind each of several introductions; ``{core}`` alone leaves it as it is."""
    return [form.replace("{core}", core if form == "{core}" else lower_first(core)) for form in forms]


def _insert(form: str, parts: dict[str, str]) -> str:
    for name, value in parts.items():
        form = form.replace("{" + name + "}", value)
    return form


def _mend(text: str) -> str:
    """Undo what inversion leaves behind: "where do I" asked directly, "how I do reset" told indirectly."""
    text = re.sub(r"\b(I|you|we|they) do ", r"\1 ", text) if " do I " not in text else text
    return text.replace("  ", " ")


def lower_first(text: str) -> str:
    """The text begun small, unless it begins with I, an abbreviation or a placeholder."""
    first = text.split(" ", 1)[0].rstrip(",.")
    if first in ("I", "I'm", "I'd", "I've", "I'll") or first.isupper() or text.startswith("{"):
        return text
    return text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """The text begun with a capital and ended with a mark."""
    text = text.strip()
    text = re.sub(r"\bi\b(?=[ '])", "I", text)
    if text and text[-1] not in ".?!。？！؟…:":
        text += (
            "?"
            if re.match(r"(?:what|when|where|who|why|how|which|is|are|can|could|do|does|did|will)\b", text, re.I)
            else "."
        )
    return text[:1].upper() + text[1:] if not text.startswith("{") else text
