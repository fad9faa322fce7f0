"""Everyday ways of writing, turned into those that the tables know: “gimme”, “pls”, “can I see”, emojis."""

from __future__ import annotations

import re

_YES, _NO, _THANKS = frozenset("👍👌✅✔☑🆗💯"), frozenset("👎❌✖🚫🙅"), frozenset("🙏❤😀😃😄😁😊🙂🎉👏🥳😍")
# Pictures, and what joins and tints them.
_PICTURES = re.compile(
    "[\u203c\u2049\u20e3\u2190-\u21ff\u231a-\u23ff\u2600-\u27bf\u2b05-\u2b55\ufe0e\ufe0f\u200d\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
_FACES = re.compile(r"(?<!\S)(?:[:;=]-?[()DPp/|]+|\^\^|<3|xD)(?!\S)")
_WORDS = {
    "gimme": "give me", "lemme": "let me", "wanna": "want to", "gonna": "going to", "pls": "please", "plz": "please",
    "whats": "what's", "wheres": "where's", "hows": "how's", "thats": "that's", "dont": "don't", "doesnt": "doesn't",
    "didnt": "didn't", "isnt": "isn't", "arent": "aren't", "cant": "can't", "im": "i'm", "ive": "i've", "id like": "i'd like",
    "u": "you", "ur": "your", "thx": "thanks", "thnx": "thanks", "yea": "yes", "btw": "", "kindly": "please",
    "tho": "", "haha": "", "lol": "", "guys": "", "mate": "", "dear": "",
}  # fmt: skip
_EVERYDAY = re.compile(rf"(?<![\w'/.@-])(?:{'|'.join(_WORDS)})(?![\w'/@-]|\.\w)", re.IGNORECASE)
_ASKED_TO_SEE = re.compile(
    r"\b(?:(?:can|could|may|might) (?:i|we) (?:please )?(?:see|read|look at|take a look at|have a look at|view|get to see)"
    r"|(?:i|we) (?:want|wish|would like|need|wanted|like)(?: to)? (?:see|read|look at|view)|i'd like to (?:see|read|look at)"
    r"|let (?:me|us) (?:have a look at|look at)|have a look at|take a look at)\b",
    re.IGNORECASE,
)
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), to)
    for pattern, to in (
        (r"\b(?:would|could|can|will) you (?:please )?(?:be so (?:kind|nice|good)|be (?:kind|nice) enough)(?: as)?(?: to)? ", ""),
        (r"\b(?:would|do) you mind (?:to )?(\w+?)ing\b", r"\1"),
        (r"\bplease,? to (?=[a-z])", "please "),
        (r",? (?:but|and) (?:keep|leave) (?:all )?(?:the )?(?:rest|others?|everything else)"
         r"(?: (?:as (?:it is|they are|is|before)|alone))?(?=\W*$)", ""),
        (r"(?:\ba )?\bcouple (?:of )?(?=more\b)", "2 "),
        (r"^balance (?:it|them|everything|the (?:categories|counts|plan))(?: out)?(?=\W*$)", "spread it evenly"),
        (r"^even (?:it|them|everything) out(?=\W*$)", "spread it evenly"),
        (r"\bhow much (?=(?:cases|tests|refunds|examples|questions|are|of them|ones)\b)", "how many "),
        (r"^(?:hi|hello|hey|dear \w+|good (?:morning|day|evening|afternoon))(?: (?:there|team|all|bot))?[ ,!.]+(?=\w+ \w)", ""),
        (r"\b(?:if (?:that's|it's|that is|it is) (?:possible|ok|okay|not too much)|if (?:you|u) (?:don't|do not) mind|if possible"
         r"|when you have (?:time|a (?:moment|minute))|in your opinion|thank you in advance|thanks in advance)\b[ ,]*", ""),
    )
)  # fmt: skip


def without_pictures(said: str) -> str:
    """A message without its emojis and faces. One that is nothing else is the word that it stands for."""
    if not (_PICTURES.search(said) or _FACES.search(said)):
        return said
    plain = " ".join(_FACES.sub(" ", _PICTURES.sub(" ", said)).split(" ")).strip(" ")
    if plain.strip(" .!?"):
        return plain
    signs = set(said)
    return "no" if signs & _NO else "ok" if signs & _YES else "thanks" if signs & _THANKS else ""


def everyday(said: str) -> str:
    """A message in the words that the tables know; what is quoted stands masked in it and stays."""
    said = _EVERYDAY.sub(lambda found: _WORDS[found.group().lower()], said)
    for pattern, to in _REWRITES:
        said = pattern.sub(to, said)
    return re.sub(r"[ \t]+([,.;!?])", r"\1", _ASKED_TO_SEE.sub("show me", said))
