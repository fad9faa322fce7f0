"""Rules for the cores of messages: how a request may be said in other words, and what an answer to it does."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoreRule:
    pattern: re.Pattern[str]
    answered: str  # what an answer to it does
    goal: str  # what somebody wants who says it
    forms: tuple[str, ...]


def _rule(pattern: str, answered: str, goal: str, *forms: str) -> CoreRule:
    return CoreRule(re.compile(pattern + r"\s*[?.!]*\Z", re.IGNORECASE), answered, goal, forms)


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
ASKS_TOO = re.compile(
    r"[,;:] (?:what|who|how|can|could|do|does|did|is|are|was|where|when|why|which|should|will|am)\b", re.I
)


def _forms(text: str) -> tuple[str, ...]:
    return tuple(form.strip() for form in text.strip().splitlines())


RULES = (
    _rule(
        rf"where(?:'s| {_BE}) (?P<x>(?:my|our|the|this|that) .+?)",
        "tells the user where {x} {be}, or what is needed to find out",
        "find out where {x} {be}",
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
        "find out {wh} {x} {be}",
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
        "find out {wh} {x} {be} {p}",
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
        "find out {wh} {s} {aux} {x}",
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
        "find out whether {x} {aux} {p}",
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
        "find out whether {x} {be} {p}",
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
        "find out whether {s} {x}",
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
        "get{np}",
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
        "{v}",
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
        "find out whether I can {v}",
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
        "find out more about {x}",
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
        "get the assistant to {v}",
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
        "get help: {x}",
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
MORE_WAYS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
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

QUESTION_LEAD_INS = _forms("""
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
STATEMENT_LEAD_INS = _forms("""
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
REQUEST_LEAD_INS = ("My request: {core}", "I have a request. {Core}")
REPORT = re.compile(
    r"(?:i|i'm|i've|my|we|our|the|your|you|since|this|these|there|a|an|some\w*|nobody|it)\b", re.IGNORECASE
)
