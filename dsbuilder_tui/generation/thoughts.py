"""Thoughts that a model writes into its answer: taken out of it, so that the answer itself is left."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dsbuilder_tui.generation.case_scanner import CaseScanner, RunawayOutput

_NAME = r"(?:\w+[:_])?(?:ant)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad|monologue|draft)"
_OPENING = (
    rf"<{_NAME}(?:\s[^<>\n]*)?>|<\|(?:begin_of_thought|start_thinking|think(?:ing)?|begin_of_thinking)\|>"
    r'|\[THINK\]|◁think▷|<details\s(?=[^<>\n]*type="?reasoning)[^<>\n]*+>'
)
_CLOSING = rf"</{_NAME}\s*>|<\|(?:end_of_thought|end_thinking|/think(?:ing)?|end_of_thinking)\|>|\[/THINK\]|◁/think▷"
_TAG = re.compile(rf"(?P<opening>{_OPENING})|(?P<closing>{_CLOSING})|(?P<details></details>)", re.IGNORECASE)
_LEADING = re.compile(r"[\s\ufeff]*(?:```\w*\s+)?", re.ASCII)
# Channels of gpt-oss, as they are or with the special tokens taken out.
_CHANNEL = re.compile(r"<\|(?:channel|message)\|>|assistantfinal(?=[\s{\[`<])")
_FINAL = re.compile(r"final\s*+(?:<\|constrain\|>\s*+\w*+\s*+)?<\|message\|>|assistantfinal(?=[\s{\[`<])")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_LONGEST_TAG = 100
_WHITE_SPACE = "\ufeff \t\r\n"
_LONGEST_FENCE = 20


@dataclass(frozen=True, slots=True)
class Split:
    """An answer without its thoughts.

    ``closed`` is false when they go on to its end; ``marked`` when all of them had a beginning and an end.
    """

    answer: str
    thoughts: str = ""
    closed: bool = True
    marked: bool = True


def split_thoughts(text: str) -> Split:
    """Take the thoughts out of a whole answer.

    They stand between tags, in front of a closing tag whose opening one the template has written, or in channels. A tag
    within a JSON string is text like any other.
    """
    if _CHANNEL.search(text):
        return _final_channel(text)
    if _TAG.search(text) is None:
        return Split(text)
    answer: list[str] = []
    thoughts: list[str] = []
    at, opened, doubtful, marked = 0, "", 0, True
    scanner = CaseScanner()
    for tag in _TAG.finditer(text):
        if opened:
            closes = tag["details"] if opened.startswith("<details") else tag["closing"]
            if closes:
                thoughts.append(text[at : tag.start()])
                at, opened = tag.end(), ""
            continue
        before = text[at : tag.start()]
        if tag["details"]:
            continue
        try:
            scanner.feed(before)
        except RunawayOutput:
            break
        answer.append(before)
        at = tag.start()
        if tag["opening"]:
            if not scanner.in_string:
                opened, at = tag.group().lower(), tag.end()
        elif scanner.in_string:
            doubtful = tag.end()  # of a question about such tags, or behind thoughts with a quotation mark too many
        else:
            thoughts += answer
            answer, scanner, at, doubtful, marked = [], CaseScanner(), tag.end(), 0, False
    if opened:
        return Split("".join(answer), "".join(thoughts) + text[at:], closed=False, marked=False)
    answer.append(text[at:])
    whole = "".join(answer)
    if doubtful and not _is_whole(whole):
        return Split(text[doubtful:], text[:doubtful], marked=False)
    return Split(whole, "".join(thoughts), marked=marked)


def leading_tag(text: str) -> re.Match[str] | None:
    """The tag that opens thoughts at the very beginning."""
    leading = _LEADING.match(text)
    tag = _TAG.match(text, leading.end() if leading else 0)
    return tag if tag and tag["opening"] else None


def closing_tag(text: str, at: int, opening: str) -> re.Match[str] | None:
    """The tag from ``at`` on that closes what ``opening`` has opened."""
    while (tag := _TAG.search(text, at)) is not None:
        if tag["details"] if opening.lower().startswith("<details") else tag["closing"]:
            return tag
        at = tag.end()
    return None


def may_be_tag(text: str) -> bool:
    """Whether a beginning may still become a tag."""
    text = text.lstrip(_WHITE_SPACE).lower()
    if text.startswith("<"):
        return len(text) < _LONGEST_TAG and not any(sign in text for sign in ">{\n")
    return bool(text) and any(tag.startswith(text) for tag in ("[think]", "◁think▷"))


def behind_fence(text: str) -> str:
    """What stands behind leading white space and the opening of a code fence; ``""`` while there is nothing yet."""
    text = text.lstrip(_WHITE_SPACE)
    if not text.startswith("`"):
        return text
    fence, newline, rest = text.partition("\n")
    return rest.lstrip() if newline else "" if len(fence) < _LONGEST_FENCE else text


def without_white_space(text: str) -> str:
    """A beginning with nothing but white space behind it, or behind its code fence, without that white space."""
    text = text.lstrip(_WHITE_SPACE)
    fence, newline, rest = text.partition("\n")
    return fence + newline if fence.startswith("`") and not rest.strip() else text


def _final_channel(text: str) -> Split:
    finals = list(_FINAL.finditer(text))
    if not finals:
        before = _CHANNEL.search(text)
        begun = before.start() if before else 0
        return Split(text[:begun], text[begun:], closed=False, marked=False)
    end = _CHANNEL_END.search(text, finals[-1].end())
    return Split(text[finals[-1].end() : end.start() if end else len(text)], text[: finals[-1].start()])


def _is_whole(text: str) -> bool:
    """Whether a text is JSON from its first character to its last."""
    scanner = CaseScanner()
    try:
        scanner.feed(text)
    except RunawayOutput:
        return False
    return scanner.only_json and not scanner.depth
