"""A message made ready for understanding: what the person says, apart from what they quote, paste or name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from dsbuilder_tui.domain.sanitise import bare, whole_characters
from dsbuilder_tui.offline.planner.counts import plain_numbers
from dsbuilder_tui.offline.planner.everyday_words import everyday, without_pictures
from dsbuilder_tui.offline.planner.manner_phrases import UNIT

MOST_READ = 4_000  # characters of a message that are read as words; what is longer is a document
MOST_TARGET = 20_000  # characters of a document that are handed on

_PASTED = re.compile(r"^\[pasted text[^\]\n]{0,40}\][ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROMPT = re.compile(
    r"(?:here(?:'s| is)|this is|see|use) (?:its|the|my|our|his|her|their)[\w ,'-]{0,40}?"
    r"(?:system[ -]?prompt|prompt|system message|instructions)\b[\w ,'-]{0,40}?[:\n]"
    r"|\b(?:its |the |my |our )?(?:system[ -]?prompt|system message)(?: is| reads| says)?[ ]?[:\n]",
    re.IGNORECASE,
)
_IS_PROMPT = re.compile(r"\s*you are (?:an? |the |\w+, )", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»|`[^`\n]*`|(?<![\w’'])'[^'\n]+'(?![\w’'])")
_PATH = re.compile(
    r"(?<![\w/])(?:~|\.{1,2})?/[\w.@+~/-]*[\w/]|(?<![\w/])[A-Za-z]:\\[\w.\\-]+"
    r"|(?<![\w/])[\w.-]+/(?:[\w.-]+/){0,20}[\w.-]*\.[A-Za-z]\w{0,9}\b|"
    r"(?<![\w/])[A-Za-z][\w.-]*/(?:[\w.-]+/){1,20}[\w-]*"
    r"|(?<![\w/.])[\w-]+\.(?:py|md|txt|pdf|docx|html?|rst|ya?ml|json|jsonl|ndjson|arrow|csv|tsv|parquet|toml|prompt|j2|ts|js)\b"
)
# As `domain.registered_reference` has them, within a sentence.
_REGISTERED = re.compile(r"(?<![\w/:])(?:mlflow:(?:prompts|models):?|(?:prompts|models):)/[\w.-]*\w(?:[/@][\w.-]*\w)?")
_MODEL = re.compile(
    r"(?<![\w/])(?:[\w.-]+/)?(?:gpt|o\d|claude|gemini|llama|mistral|mixtral|qwen|deepseek|phi|gemma|command|grok)"
    r"-?[\w.:-]*\w(?<!\.)",
    re.IGNORECASE,
)
# A private-use character stands for each piece that is data; the input's own are dropped first.
_FIRST_MASK, _LAST_MASK = 0xE000, 0xE7FF
MASK = f"[{chr(_FIRST_MASK)}-{chr(_LAST_MASK)}]"
_PRIVATE = re.compile("[\ue000-\uf8ff]")


# “80 refunds 10 order status”: counts with what they count, one behind the other without a comma.
_COUNTED = (
    rf"\d{{1,7}}(?! (?:{UNIT}|turns?|times|categories|more|fewer|less|cases (?:of|with|each))\b)"
    r"(?: (?!(?:and|or|of|with|in|for|than|to|under|over|per|at|by|from|on|is|are|be|should|each|every|but|then|if|that|"
    r"which|who|when|as|more|fewer|less)\b)[^\W\d_][\w'&-]{0,30}){1,4}"
)
_RUN_ON = re.compile(
    rf"(?<![\w.,/#$€£-]){_COUNTED}(?: {_COUNTED}){{1,20}}(?=\s*(?:$|[.,:;!?\n])| (?:and|then|please|thanks|for|in|with|to)\b)",
    re.IGNORECASE,
)
_NEXT_COUNT = re.compile(r" (?=\d)")


@dataclass(frozen=True, slots=True)
class Utterance:
    """``said`` has digits for number words, and one private-use character for each quotation, path and model name."""

    said: str
    pieces: tuple[str, ...]  # what those characters stand for
    document: str = ""  # a pasted text or a system prompt
    too_long: bool = False

    def full(self, text: str) -> str:
        """Text of ``said`` with its pieces put back."""
        return re.sub(MASK, lambda found: self.piece(found.group()), text)

    def piece(self, mask: str) -> str:
        """What a mask stands for, without the quotation marks."""
        at = ord(mask) - _FIRST_MASK
        piece = self.pieces[at] if at < len(self.pieces) else ""
        return piece[1:-1].strip() if _QUOTED.fullmatch(piece) else piece

    @property
    def next_mask(self) -> str:
        """The character that one more piece would have; nothing when there are too many."""
        return chr(_FIRST_MASK + len(self.pieces)) if len(self.pieces) <= _LAST_MASK - _FIRST_MASK else ""

    def is_path(self, mask: str) -> bool:
        """Whether a mask stands for a path, as far as its signs tell."""
        return not self.quoted(mask) and bool(re.search(r"[/\\~]", self.piece(mask)))

    def quoted(self, mask: str) -> bool:
        at = ord(mask) - _FIRST_MASK
        return at < len(self.pieces) and bool(_QUOTED.fullmatch(self.pieces[at]))


def hear(text: str) -> Utterance:
    """Takes a message apart. Never raises."""
    text = unicodedata.normalize("NFC", str(whole_characters(text))).replace("\r\n", "\n")
    text = _PRIVATE.sub("", text)
    said, document = text, ""
    if pasted := _PASTED.search(text):
        said, document = text[: pasted.start()], text[pasted.end() :].strip()
        if _PROMPT.search(said + "\n"):
            said = _PROMPT.sub(". ", said + "\n")
    elif prompt := _PROMPT.search(text):
        said, document = text[: prompt.start()], text[prompt.end() :].strip()
    elif _IS_PROMPT.match(text) and len(text) > 80:
        said, document = "", text.strip()
    too_long = len(said) > MOST_READ
    said = " \n ".join(bare(line.replace("\t", " ")) for line in said[:MOST_READ].split("\n"))
    said = re.sub(r"[’‘ʼ]", "'", said)
    pieces: list[str] = []

    def mask(found: re.Match[str]) -> str:
        if len(pieces) > _LAST_MASK - _FIRST_MASK:
            return ""
        pieces.append(found.group())
        return chr(_FIRST_MASK + len(pieces) - 1)

    said = without_pictures(said)
    for pattern in (_QUOTED, _REGISTERED, _PATH, _MODEL):
        said = pattern.sub(mask, said)
    said = re.sub(r"[ \u00a0\u2000-\u200a\u3000]+", " ", plain_numbers(everyday(said))).strip()
    said = _RUN_ON.sub(lambda found: _NEXT_COUNT.sub(", ", found.group()), said)
    said = re.sub(r"\n(?: \n)+", "\n \n", said)  # as many empty lines as one: a pattern would try each as a beginning
    return Utterance(said, tuple(pieces), document[:MOST_TARGET], too_long)
