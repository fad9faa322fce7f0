"""Reading an example into a template, and saying its core in other words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dsbuilder_tui.offline.writer.values import BRACES, PRODUCT_HEADS, Entity, shown_braces

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


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    answered: str  # what an answer to it does
    forms: tuple[str, ...]


def _rule(pattern: str, answered: str, *forms: str) -> _Rule:
    return _Rule(re.compile(pattern + r"\s*[?.!]*\Z", re.IGNORECASE), answered, forms)


_BE = r"(?P<be>is|are|was|were)"
_PARCEL = re.compile(
    r"\b(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?|refunds?|luggage|bags?|replacements?)\b", re.I
)
_CLAIMED = re.compile(r"\b(?:refund|replacement|compensation|voucher|exchange|money|discount|reimbursement)\b", re.I)
_ACTION = re.compile(
    r"(?:(?:still|also) )?(?:cancel|change|return|exchange|pay|add|get|send|transfer|rebook|book|move|reset|update|delete|close|"
    r"open|order|reserve|renew|extend|upload|join|register|enrol|claim|apply|connect|install|log|activate|block)\b",
    re.IGNORECASE,
)
_PARTICIPLE = (
    r"(?:(?:still|always|already|not|never|suddenly|so|too|also) )*"
    r"(?:\w{2,}ed|\w+ing|due|sent|paid|lost|made|gone|late|open|closed|wrong|down|slow|high|low|higher|lower|different|broken|stolen|"
    r"held|kept|shown|written|bought|sold|taken|hidden|empty|full|here|available|possible|necessary|free|stuck|missing|"
    r"\{money:[^{}]*\} \w+)(?: .+?)?"
)
_NOUNS = r"(?:my|our|your|the|this|that|a|an) (?:(?!(?:\w+ed|due|sent|paid) |\{money)[\w'{}:#$.,-]+ ?){1,4}?"
# A second clause with a question of its own cannot be put into another sentence.
_ASKS_TOO = re.compile(
    r"[,;:] (?:what|who|how|can|could|do|does|did|is|are|was|where|when|why|which|should|will|am)\b", re.I
)


def _forms(text: str) -> tuple[str, ...]:
    return tuple(form.strip() for form in text.strip().splitlines())


_RULES = (
    _rule(
        rf"where(?:'s| {_BE}) (?P<x>(?:my|our|the|this|that) .+?)",
        "tells the user where {x} {be}, or what is needed to find out",
        *_forms("""
        Where {be} {x}?
        Can you tell me where {x} {be}?
        Could you check where {x} {be}?
        I'd like to know where {x} {be}.
        Do you know where {x} {be} right now?
        Any idea where {x} {be}?
        I'm trying to find out where {x} {be}.
        I have no idea where {x} {be}.
        Please tell me where {x} {be}.
        """),
    ),
    _rule(
        rf"(?P<wh>what|who) {_BE} (?P<x>(?:my|our|your|the|this|that|a|an) .+?)",
        "tells the user {wh} {x} {be}",
        *_forms("""
        {wh} {be} {x}?
        Can you tell me {wh} {x} {be}?
        I'd like to know {wh} {x} {be}.
        Do you know {wh} {x} {be}?
        I was wondering {wh} {x} {be}.
        I can't find out {wh} {x} {be}.
        Please tell me {wh} {x} {be}.
        I need to know {wh} {x} {be}.
        """),
    ),
    _rule(
        rf"(?P<wh>when|why|how) {_BE} (?P<x>{_NOUNS}) (?P<p>{_PARTICIPLE})",
        "tells the user {wh} {x} {be} {p}",
        *_forms("""
        {wh} {be} {x} {p}?
        Can you tell me {wh} {x} {be} {p}?
        I'd like to know {wh} {x} {be} {p}.
        Do you know {wh} {x} {be} {p}?
        Could you explain {wh} {x} {be} {p}?
        I was wondering {wh} {x} {be} {p}.
        I can't find out {wh} {x} {be} {p}.
        Please tell me {wh} {x} {be} {p}.
        I need to know {wh} {x} {be} {p}.
        """),
    ),
    _rule(
        r"(?P<wh>what|when|where|why|how|how much|how many \w+|how long|which \w+) "
        r"(?P<aux>do|can|could|should|will|would|must) (?P<s>i|you|we|they|it) (?P<x>.+?)",
        "tells the user {wh} {s} {aux} {x}",
        *_forms("""
        {wh} {aux} {s} {x}?
        Can you tell me {wh} {s} {aux} {x}?
        I'd like to know {wh} {s} {aux} {x}.
        I don't know {wh} {s} {aux} {x}.
        Could you explain {wh} {s} {aux} {x}?
        Please tell me {wh} {s} {aux} {x}.
        I was wondering {wh} {s} {aux} {x}.
        I need to know {wh} {s} {aux} {x}.
        Any idea {wh} {s} {aux} {x}?
        I'm trying to find out {wh} {s} {aux} {x}.
        """),
    ),
    _rule(
        r"(?P<aux>has|have) (?P<x>(?!(?:you|i|we|they) ).+?) "
        r"(?P<p>(?:already |not )?(?:been|arrived|left|changed|expired|failed)\b.*?)",
        "tells the user if {x} {aux} {p}",
        *_forms("""
        {aux} {x} {p}?
        Can you tell me if {x} {aux} {p}?
        I'd like to know if {x} {aux} {p}.
        Do you know if {x} {aux} {p}?
        Could you check if {x} {aux} {p}?
        I was wondering if {x} {aux} {p}.
        Please tell me if {x} {aux} {p}.
        I can't find out if {x} {aux} {p}.
        """),
    ),
    _rule(
        rf"(?P<be>is|are|was|were) (?P<x>{_NOUNS}) (?P<p>{_PARTICIPLE})",
        "tells the user if {x} {be} {p}",
        *_forms("""
        {be} {x} {p}?
        Can you tell me if {x} {be} {p}?
        I'd like to know if {x} {be} {p}.
        Do you know if {x} {be} {p}?
        Could you check if {x} {be} {p}?
        I was wondering if {x} {be} {p}.
        Please tell me if {x} {be} {p}.
        I can't find out if {x} {be} {p}.
        """),
    ),
    _rule(
        r"do (?P<s>you|i|we|they) (?P<x>.+?)",
        "tells the user if {s} {x}",
        *_forms("""
        Do {s} {x}?
        Can you tell me if {s} {x}?
        I'd like to know if {s} {x}.
        Could you tell me if {s} {x}?
        I was wondering if {s} {x}.
        Please tell me if {s} {x}.
        I'm not sure if {s} {x}.
        I can't find out if {s} {x}.
        """),
    ),
    _rule(
        r"i (?:want|would like|need|wish)(?P<np> (?:a|an|my|the|some|another|more) .+?)",
        "says whether or how the user can get{np}",
        *_forms("""
        I want{np}.
        I'd like{np}.
        I need{np}.
        Can I get{np}?
        How do I get{np}?
        Could I have{np}, please?
        Please help me get{np}.
        Is it possible to get{np}?
        I'm writing because I want{np}.
        I'm looking for{np}.
        """),
    ),
    _rule(
        r"(?:i (?:want|would like|need|wish)|i'd like) to (?P<v>.+?)",
        "says whether or how the user can {v}",
        *_forms("""
        I want to {v}.
        I'd like to {v}.
        I need to {v}.
        Can I {v}?
        How do I {v}?
        Is it possible to {v}?
        Please help me {v}.
        I'm trying to {v}.
        What do I need to do to {v}?
        Could you help me {v}?
        """),
    ),
    _rule(
        r"(?:can|could|may) (?:i|we) (?P<v>.+?)",
        "says whether the user can {v}",
        *_forms("""
        Can I {v}?
        Could I {v}?
        Is it possible to {v}?
        Am I able to {v}?
        I'd like to know if I can {v}.
        Would it be possible to {v}?
        Do you know if I can {v}?
        I was wondering if I can {v}.
        Can you tell me if I can {v}?
        """),
    ),
    _rule(
        r"(?:please |(?:can|could|would) you (?:please )?)?(?:tell me|give me (?:some )?information|inform me|"
        r"talk to me) (?:more )?about (?P<x>.+?)(?:,? please)?",
        "gives the user information about {x}",
        *_forms("""
        Tell me about {x}.
        What can you tell me about {x}?
        I'd like to know more about {x}.
        I have a question about {x}.
        Could you give me some details on {x}?
        What should I know about {x}?
        Can you sum up what I should know about {x}?
        I'm looking for information on {x}.
        Where do I find details on {x}?
        Could you tell me more about {x}?
        """),
    ),
    _rule(
        r"(?:please |(?:can|could|would|will) you (?:please )?)?(?P<v>(?:show|explain|cancel|change|update|book|send|"
        r"find|help|write|translate|give|check|fix|add|remove|delete|open|close|create|make|compare|recommend|suggest|"
        r"summari[sz]e|list|describe|convert|calculate|schedule|transfer|block|reset|refactor|review|generate|draft|"
        r"look|set|turn|get|order|return|track|connect|reserve|renew|extend|confirm|move|rename|sort|tell|let|"
        r"call|split|refund|resend|activate) .+?)"
        r"(?P<more>, (?:i|we|my|our|the|it|there|because|so) .+?)?(?:,? please)?",
        "says whether the request to {v} is carried out",
        *_forms("""
        {v}{more}.
        Please {v}{more}.
        Can you {v}?{more}
        Could you {v}?{more}
        I need you to {v}{more}.
        I'd like you to {v}{more}.
        Would you be able to {v}?{more}
        It would help me a lot if you could {v}{more}.
        Are you able to {v}?{more}
        Would you please {v}?{more}
        """),
    ),
    _rule(
        r"(?P<x>(?:my|our|the) (?!.*[,;] )[^?]+? (?:is|are|was|were|has|have|had|does|do|did|keeps?|won't|can't|isn't|"
        r"doesn't|hasn't|stopped|broke|arrived|shows?|says?|drops?|stops?|gets?|fails?|crashes|expires?) .+?)",
        "takes up that {x}",
        *_forms("""
        {x}.
        It seems {x}.
        I've noticed that {x}.
        The problem is that {x}.
        I'm writing because {x}.
        {x}. What can I do?
        {x}. Is that normal?
        {x}. Can you help?
        {x}. Who do I talk to?
        {x}. What should I do now?
        """),
    ),
)

# More ways to say what only some things can be: a parcel can be waited for, a product be recommended.
_MORE_WAYS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    ("Where {be} {x}?", _PARCEL, _forms("""
        I'm still waiting for {x}.
        What happened to {x}?
        What's the status of {x}?
        Is there any news about {x}?
        I need an update on {x}.
        Could you look up {x} for me?
        How is {x} coming along?
        When can I expect {x}?
        Has {x} been lost?
        Why haven't I got {x} yet?
        """)),
    ("I want{np}.", _CLAIMED, _forms("""
        I'm asking for{np}.
        What do I have to do to get{np}?
        I'd like to request{np}.
        I'm still hoping for{np}.
        Am I eligible for{np}?
        I was told I could get{np}.
        """)),
    ("Can I {v}?", _ACTION, _forms("""
        How do I {v}?
        What do I have to do to {v}?
        I'd like to {v}.
        I was hoping to {v}.
        Am I allowed to {v}?
        """)),
    ("Tell me about {x}.", re.compile(r"\{product:"), _forms("""
        Please describe {x}.
        I'm interested in {x}.
        How good is {x}?
        Is {x} worth it?
        What do people say about {x}?
        I'm thinking about {x}. What do I need to know?
        I can't decide on {x}. Can you help?
        Do you recommend {x}?
        """)),
)  # fmt: skip

_QUESTION_LEAD_INS = _forms("""
    {core}
    I have a question: {core}
    My question: {core}
    What I'd like to know: {core}
    Can you help me with this? {Core}
    I hope you can tell me: {core}
    I couldn't find an answer to this: {core}
    Here's my question: {core}
    Maybe you know this: {core}
    One question: {core}
    """)
_STATEMENT_LEAD_INS = _forms("""
    {core}
    I hope you can help me with this. {Core}
    Here's the situation: {core}
    I need help. {Core}
    I'd like your help with this: {core}
    It's about the following. {Core}
    I'm writing about this: {core}
    Let me explain. {Core}
    Could you look into this? {Core}
    """)
_REQUEST_LEAD_INS = ("My request: {core}", "I have a request. {Core}")
_REPORT = re.compile(
    r"(?:i|i'm|i've|my|we|our|the|your|you|since|this|these|there|a|an|some\w*|nobody|it)\b", re.IGNORECASE
)


def paraphrases(template: str) -> list[str]:
    """Ways to say a template's core, the original among them, each a full sentence."""
    text = template.strip()
    whole = sentence(text)
    for rule in _RULES:
        found = rule.pattern.match(text)
        if found and not re.search(r"[.!?] +\w", text) and not _ASKS_TOO.search(text):
            parts = {name: lower_first(value) for name, value in found.groupdict().items() if value}
            parts.setdefault("be", "is")
            more = parts.pop("more", "").removeprefix(", ")
            forms = list(rule.forms)
            for first, fits, others in _MORE_WAYS:
                if first == forms[0] and fits.search(text):
                    forms += others
            made = [sentence(_insert(_direct(_with_more(form, more), parts), parts)) for form in forms]
            return list(dict.fromkeys([whole, *made]))
    if whole.endswith("?"):
        return introduced(whole, _QUESTION_LEAD_INS)
    return introduced(whole, _STATEMENT_LEAD_INS if _REPORT.match(text) else (*_STATEMENT_LEAD_INS, *_REQUEST_LEAD_INS))


def answered(template: str) -> str:
    """What an answer to a template's core does: ``The answer says whether the user can return their order {id:#12345}.``"""
    text = template.strip()
    for rule in _RULES:
        found = rule.pattern.match(text)
        if found and not re.search(r"[.!?] +\w", text) and not _ASKS_TOO.search(text):
            parts = {name: lower_first(value) for name, value in found.groupdict().items() if value}
            parts.setdefault("be", "is")
            said = _insert(_direct(rule.answered, parts), parts)
            return f"The answer {_of_another(said).rstrip('.?! ')}."
    kind = "question" if sentence(text).endswith("?") else "message"
    return f"The answer deals with this {kind}: {lower_first(sentence(text))}"


_OTHERS = {
    "i'm": "they are", "i am": "they are", "i was": "they were", "i've": "they have", "i'd": "they would", "i'll": "they will",
    "i": "they", "me": "them", "my": "their", "mine": "theirs", "myself": "themselves", "we": "they", "we're": "they are",
    "we've": "they have", "our": "their", "us": "them", "ours": "theirs", "am": "are",
}  # fmt: skip
_OWN = re.compile(
    r"(?<![\w{:'])(?:i'm|i am|i was|i've|i'd|i'll|we're|we've|myself|mine|ours|our|we|us|me|my|am|i)(?![\w':}])", re.I
)


def _of_another(said: str) -> str:
    """First persons as third ones, outside of placeholders."""
    parts = re.split(r"(\{[^{}]*\})", said)
    return "".join(
        part if part.startswith("{") else _OWN.sub(lambda found: _OTHERS[found.group().lower()], part) for part in parts
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
            or _ASKS_TOO.search(last)
            else "."
        )
    return text[:1].upper() + text[1:] if not text.startswith("{") else text
