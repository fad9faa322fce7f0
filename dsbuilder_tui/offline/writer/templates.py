"""Reading an example into a template, and saying its core in other words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto

from dsbuilder_tui.offline.writer.core_rules import (
    ASKS_TOO,
    MORE_WAYS,
    QUESTION_LEAD_INS,
    REPORT,
    REQUEST_LEAD_INS,
    RULES,
    STATEMENT_LEAD_INS,
    CoreRule,
)
from dsbuilder_tui.offline.writer.values import BRACES, PLURAL, PRODUCT_HEADS, SINGULAR, Entity, shown_braces

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
_MOST_TOLD = 300  # characters of a core that an expectation repeats
_WORDS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_MODIFIER = re.compile(
    r"(?:wireless|smart|electric|portable|new|red|blue|black|white|green|leather|wool|winter|summer|gaming|running|"
    r"travel|noise-cancelling|mechanical|digital|mini|pro|steel|wooden|cotton|waterproof)$",
    re.IGNORECASE,
)
_PLACEHOLDER_END = re.compile(r"\s*(?:,\s*)?(?:\b(?:number|no\.?|nr\.?|id)\s*)?\{id:[^{}]*\}")


_BARE_NOUN = re.compile(
    r"((?:^|\b(?:for|of|on|about|with|to|from|in|if|cancel|return|track|change|move|is|are|has|have|was|were|did|does|will) ))"
    r"((?:order|invoice|ticket|booking|reservation|account|case|claim|parcel|shipment|flight)"
    r"(?:\s+(?:number|no\.?|nr\.?|id))?\s*\{id:)",
    re.IGNORECASE,
)


class ProductsVary(Enum):
    """Where the product of an example is one of many."""

    NEVER = auto()  # nothing is sold: a laptop is one's laptop
    WHERE_ANY_FITS = auto()  # in "does the lamp dim?" it has to stay a lamp
    ALWAYS = auto()


def read_template(text: str, products: ProductsVary = ProductsVary.WHERE_ANY_FITS) -> str:
    """The example with what may vary as ``{kind:original}``: ids, names, products, dates, amounts.

    One longer than 4,000 characters stays as it is.
    """
    text = " ".join(text.split()).translate(BRACES)
    if len(text) > _MOST_READ:
        return text
    marked = _ENTITY.sub(lambda found: f"{{{found.lastgroup}:{found.group()}}}", text)
    if products is ProductsVary.NEVER:
        return marked
    return _mark_products(marked, products is ProductsVary.ALWAYS)


_PRODUCT = re.compile(rf"\b(?:{'|'.join((*SINGULAR, *PLURAL))})\b", re.IGNORECASE)
_ANY_PRODUCT = frozenset(
    "a an the my our your this that these those i me you we us it is are was were do does did can could would will may "
    "have has had want need like to of for from on in at by with and or about tell give show some any more information "
    "info details detail question please know what which how much many when where who cost costs price buy bought buying "
    "order ordered ordering return returning refund exchange cancel deliver delivered delivery shipped ship stock "
    "available send sent arrived arrive recommend interested looking look there here back money paid get got if just "
    "help hello hi thanks thank be not new one describe number d m ve s t ll re".split()
)


def _mark_products(text: str, anyway: bool) -> str:
    """The product of a sentence that would fit any product, or ``anyway``; in "does the lamp dim?" the lamp has to stay."""
    if anyway and (named := _PRODUCT.search(text)) is not None:
        return f"{text[: named.start()]}{{product:{named.group()}}}{text[named.end() :]}"
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
        if anyway or all(word in _ANY_PRODUCT for word in others):
            return f"{text[:start]}{{product:{text[start : found.end()]}}}{text[found.end() :]}"
    return text


_NUMBERED = re.compile(
    r"\b(order|invoice|ticket|booking|reservation|account|case|claim|parcel|shipment|flight|transfer|error|appointment|contract|"
    r"policy|card|subscription)(?:\s+(?:number|no\.?|nr\.?|id|code))?\s*$",
    re.IGNORECASE,
)


def entities_of(template: str, values: Mapping[str, str]) -> tuple[Entity, ...]:
    """The values of a template's placeholders, in order, each with the noun that it is the number of."""
    found = []
    for place in re.finditer(r"\{(\w+):[^{}]*\}", template):
        noun = _NUMBERED.search(template[: place.start()])
        if place.group() in values:
            found.append(Entity(place.group(1), noun.group(1).lower() if noun else "", values[place.group()]))
    return tuple(found)


def without_ids(template: str) -> str:
    """The template without its ids: a request that lacks a detail."""
    return _PLACEHOLDER_END.sub("", _BARE_NOUN.sub(r"\1my \2", template))


def shown(template: str) -> str:
    """The template as a person reads it: ``Where is my order {id}?``"""
    return shown_braces(re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", template))


def paraphrases(template: str) -> list[str]:
    """Ways to say a template's core, the original among them, each a full sentence."""
    text = template.strip()
    whole = sentence(text)
    for rule in RULES if len(text) <= _MOST_SAID_ANEW else ():
        found = rule.pattern.match(text)
        if found and not re.search(r"[.!?] +\w", text) and not ASKS_TOO.search(text):
            parts = {name: lower_first(value) for name, value in found.groupdict().items() if value}
            parts.setdefault("be", "is")
            more = parts.pop("more", "").removeprefix(", ")
            forms = list(rule.forms)
            for first, fits, others in MORE_WAYS:
                if first == forms[0] and fits.search(text):
                    forms += others
            made = [sentence(_insert(_direct(_with_more(form, more), parts), parts)) for form in forms]
            return list(dict.fromkeys([whole, *made]))
    if whole.endswith("?"):
        return introduced(whole, QUESTION_LEAD_INS)
    return introduced(whole, STATEMENT_LEAD_INS if REPORT.match(text) else (*STATEMENT_LEAD_INS, *REQUEST_LEAD_INS))


def answered(template: str) -> str:
    """What an answer to a template's core does: ``The answer says whether the user can return their order {id:#12345}.``"""
    text = template.strip()
    if (said := _by_rule(text, lambda rule: rule.answered)) is not None:
        return f"The answer {_of_another(said, _OTHERS).rstrip('.?! ')}."
    kind = "question" if sentence(text).endswith("?") else "message"
    said = lower_first(sentence(text))
    return f"The answer deals with this {kind}: {said if len(said) <= _MOST_TOLD else said[:_MOST_TOLD] + '…'}"


def goal_of(template: str) -> str:
    """What somebody wants who says a template's core, told to them: ``Find out where your order {id:#12345} is.``"""
    text = template.strip()
    # "You" is the application in what is said, and the user in a goal.
    said = None if _TO_ANOTHER.search(text) else _by_rule(text, lambda rule: rule.goal)
    if said is not None:
        return sentence(f"{_of_another(said, _ADDRESSED).rstrip('.?! ')}.")
    whole = sentence(text)
    return f"Get an answer to this{' question' if whole.endswith('?') else ''}: “{whole}”"


def addressed(said: str) -> str:
    """What somebody says of themselves, told to them: ``You're a student.``"""
    told = _of_another(said, _ADDRESSED)
    return told[:1].upper() + told[1:]


def _by_rule(text: str, form: Callable[[CoreRule], str]) -> str | None:
    """What the first rule that fits says of a core; None when none does."""
    for rule in RULES if len(text) <= _MOST_SAID_ANEW else ():
        found = rule.pattern.match(text)
        if found and not re.search(r"[.!?] +\w", text) and not ASKS_TOO.search(text):
            parts = {name: lower_first(value) for name, value in found.groupdict().items() if value}
            parts.setdefault("be", "is")
            return _insert(_direct(form(rule), parts), parts)
    return None


_TO_ANOTHER = re.compile(r"\byou(?:r|rs|rself)?\b", re.IGNORECASE)
_ADDRESSED = {
    "i'm": "you're", "i am": "you are", "i was": "you were", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "i": "you",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've",
    "our": "your", "us": "you", "ours": "yours", "am": "are",
}  # fmt: skip
_OTHERS = {
    "i'm": "they are", "i am": "they are", "i was": "they were", "i've": "they have", "i'd": "they would", "i'll": "they will",
    "i": "they", "me": "them", "my": "their", "mine": "theirs", "myself": "themselves", "we": "they", "we're": "they are",
    "we've": "they have", "our": "their", "us": "them", "ours": "theirs", "am": "are",
}  # fmt: skip
_OWN = re.compile(
    r"(?<![\w{:'])(?:i'm|i am|i was|i've|i'd|i'll|we're|we've|myself|mine|ours|our|we|us|me|my|am|i)(?![\w':}])", re.I
)


def _of_another(said: str, others: Mapping[str, str]) -> str:
    """First persons as other ones, outside of placeholders."""
    parts = re.split(r"(\{[^{}]*\})", said)
    return "".join(
        part if part.startswith("{") else _OWN.sub(lambda found: others[found.group().lower()], part) for part in parts
    )


def _with_more(form: str, more: str) -> str:
    """What a request gives as its reason: behind a comma of a statement, a sentence of its own behind a question."""
    if not more:
        return form.replace("{more}", "")
    if form.endswith("?{more}"):
        return form.replace("{more}", f" {more[:1].upper()}{more[1:]}.")
    return form.replace("{more}", f", {more}")


def introduced(core: str, forms: Sequence[str]) -> list[str]:
    """A core behind each of several introductions; ``{core}`` alone leaves it as it is, and so does ``{Core}``."""
    return [
        form.replace("{Core}", core).replace("{core}", core if form == "{core}" else lower_first(core))
        for form in forms
    ]


def _insert(form: str, parts: Mapping[str, str]) -> str:
    for name, value in parts.items():
        form = form.replace("{" + name + "}", value)
    return form


def _direct(form: str, parts: Mapping[str, str]) -> str:
    """Told indirectly a question loses its "do": "how I reset", not "how I do reset"; "what to do", not "what I do do"."""
    if parts.get("aux", "").lower() != "do":
        return form
    asks_to = parts["s"] in ("I", "we") and parts["x"].startswith("do ")
    return form.replace("{s} {aux} {x}", "to {x}") if asks_to else form.replace("{s} {aux} {x}", "{s} {x}")


def lower_first(text: str) -> str:
    """The text begun small, unless it begins with I, an abbreviation or a placeholder."""
    first = text.split(" ", 1)[0].rstrip(",.")
    if first in ("I", "I'm", "I'd", "I've", "I'll") or first.isupper() or text.startswith("{"):
        return text
    return text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """The text begun with a capital and ended with a mark."""
    text = text.strip()
    last = re.split(r"[.!?] +", text)[-1]
    text = re.sub(r"\bi\b(?=[ '])", "I", text)
    if text and text[-1] not in ".?!。？！؟…:":
        text += (
            "?"
            if re.match(
                r"(?:what|when|where|who|why|how|which|is|are|can|could|do|does|did|will|has|have|am)\b", last, re.I
            )
            or ASKS_TOO.search(last)
            else "."
        )
    return text[:1].upper() + text[1:] if not text.startswith("{") else text


def original(template: str) -> str:
    """A template with the values that it was read with."""
    return shown_braces(re.sub(r"\{\w+:([^{}]*)\}", r"\1", template))
