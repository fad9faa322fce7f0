"""The words of a main agent's answer as they come: thoughts in front of them, and calls that are written out, kept apart."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from dsbuilder_tui.models.tool_call_text import MARKERS, Call, find_calls

_OPENINGS = (
    "<think>", "<thinking>", "<thought>", "<thoughts>", "<reasoning>", "<reflection>", "<analysis>", "[think]",
    "◁think▷", "<|channel|>analysis<|message|>", "<|start_thinking|>", "<|begin_of_thought|>", "<seed:think>",
)  # fmt: skip
_CLOSING = re.compile(
    r"</(?:\w+:)?(?:think|thinking|thoughts?|reasoning|reflection|analysis)>|\[/THINK\]|◁/think▷|<\|end\|>"
    r"|<\|end_thinking\|>|<\|end_of_thought\|>",
    re.I,
)
_FINALS = ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>")  # words begin behind it
_LONGEST_TAG = 60
_UNDECIDED = 240  # characters of JSON in which a call would have said its name
_SAYS_NAME = re.compile(r'"(name|function|tool|tool_name|tool_calls)"')


# A closing tag that was never opened: the model's template has opened the thoughts.
_LONE = re.compile(r"(?<![`'\"])(?:</(?:\w+:)?think(?:ing)?>|\[/THINK\]|◁/think▷)(?![`'\"])", re.I)
_OPENED = re.compile(r"<(?:\w+:)?think(?:ing)?>|\[THINK\]|◁think▷", re.I)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text as the model means it: what it thought, up to a closing tag that was never opened, and what it says."""

    thoughts: str
    words: str


def spoken(text: str, *, ended: bool = True) -> Spoken:
    """Tell thoughts that a template has opened from the words behind them; before the text has ``ended``, if that is clear."""
    found = _lone_tag(text, ended=ended)
    if found is None or _OPENED.search(text, 0, found.start()):
        return Spoken("", text)
    return Spoken(text[: found.start()].strip(), text[found.end() :].lstrip())


def _lone_tag(text: str, *, ended: bool) -> re.Match[str] | None:
    """The first closing tag that ends a line, or what was said; one within a sentence is a word of it."""
    for found in _LONE.finditer(text):
        if not ended and not text[found.end() :].strip():
            return None
        before, behind = text[: found.start()].rstrip(" \t")[-1:], text[found.end() :].lstrip(" \t")[:1]
        if before in ("", *"\n.!?…:)]}") or behind in ("", "\n"):
            return found
    return None


class _Mode(Enum):
    START = auto()
    UNOPENED = auto()  # thoughts that the template has opened, as in the answers before
    THINKING = auto()
    WORDS = auto()
    HELD = auto()  # it may be a call


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece of an answer adds. ``unread`` when it held a call that cannot be read."""

    words: str = ""
    thoughts: str = ""
    calls: list[Call] = field(default_factory=list)
    unread: bool = False


class AgentWords:
    """Reads one answer: ``feed`` it, then ``finish``. ``names`` are the tools that it may call."""

    def __init__(self, names: Collection[str], *, opened: bool = False) -> None:
        """``opened`` when the template opens the thoughts of this model: nothing is said before their closing tag."""
        self._names = names
        self._mode = _Mode.UNOPENED if opened else _Mode.START
        self._kept = ""
        self._thought = False  # thoughts stood in front
        self._marked = False  # a marker has opened what is held

    @property
    def thought(self) -> bool:
        """Whether thoughts stood in front of the words."""
        return self._thought

    def feed(self, text: str) -> Piece:
        self._kept += text
        words: list[str] = []
        thoughts: list[str] = []
        while self._step(words, thoughts):
            pass
        return Piece("".join(words), "".join(thoughts))

    def finish(self, *, cut: bool = False) -> Piece:
        """What is left. Half a call, where the answer was ``cut`` off, is neither words nor a call."""
        words: list[str] = []
        thoughts: list[str] = []
        if self._mode is _Mode.UNOPENED:  # it did not think this time, or was cut off while it did
            self._mode = _Mode.THINKING if cut else _Mode.START
            while self._step(words, thoughts):
                pass
        last = self._finish(cut=cut)
        return replace(last, words="".join(words) + last.words, thoughts="".join(thoughts) + last.thoughts)

    def _finish(self, *, cut: bool) -> Piece:
        kept, self._kept = self._kept, ""
        if not kept:
            return Piece()
        if self._mode is _Mode.THINKING:
            return Piece(thoughts=kept)
        if self._mode is _Mode.HELD:
            if cut and (self._marked or _SAYS_NAME.search(kept)):
                return Piece()
            found = find_calls(kept, self._names)
            if found.calls and (self._marked or found.alone):
                return Piece(calls=found.calls)
            return Piece(kept, unread=self._marked)
        return Piece(kept)

    def _step(self, words: list[str], thoughts: list[str]) -> bool:
        """Take what can be taken. Returns whether to look again."""
        if self._mode is _Mode.START:
            return self._start(words)
        if self._mode is _Mode.UNOPENED:
            found = _lone_tag(self._kept, ended=False)
            if found is None:
                return False
            thoughts.append(self._kept[: found.start()])
            self._kept, self._mode, self._thought = self._kept[found.end() :].lstrip(), _Mode.START, True
            return True
        if self._mode is _Mode.THINKING:
            found = _CLOSING.search(self._kept)
            if found is None:
                most = max(0, len(self._kept) - _LONGEST_TAG)
                thoughts.append(self._kept[:most])
                self._kept = self._kept[most:]
                return False
            thoughts.append(self._kept[: found.start()])
            self._kept, self._mode = self._kept[found.end() :].lstrip(), _Mode.START
            return True
        if self._mode is _Mode.WORDS:
            at = min((place for marker in MARKERS if (place := self._kept.find(marker)) >= 0), default=-1)
            if at >= 0 and self._names:
                words.append(self._kept[:at])
                self._kept, self._mode, self._marked = self._kept[at:], _Mode.HELD, True
                return False
            waits = max(map(self._overlap, MARKERS)) if self._names else 0
            words.append(self._kept[: len(self._kept) - waits])
            self._kept = self._kept[len(self._kept) - waits :]
            return False
        if not self._marked and len(self._kept) > _UNDECIDED and not _SAYS_NAME.search(self._kept):
            self._mode = _Mode.WORDS
            return True
        return False

    def _start(self, words: list[str]) -> bool:
        start = self._kept.lstrip()
        if self._thought:
            self._kept = start  # what stands between thoughts and words is neither
        low = start.lower()
        tags = (*_OPENINGS, *_FINALS) + (tuple(map(str.lower, MARKERS)) if self._names else ())
        if not start or any(tag.startswith(low) for tag in tags if len(low) < len(tag)):
            return False
        final = next((tag for tag in _FINALS if start.startswith(tag)), None)
        opening = next((tag for tag in _OPENINGS if low.startswith(tag)), None)
        if opening is not None:
            self._kept, self._mode, self._thought = start[len(opening) :], _Mode.THINKING, True
        elif final is not None:
            self._kept, self._mode = start[len(final) :], _Mode.WORDS
        elif self._names and start[0] in "{[`" and not any(start.startswith(marker) for marker in MARKERS):
            self._mode = _Mode.HELD
        else:
            self._mode = _Mode.WORDS
        return True

    def _overlap(self, marker: str) -> int:
        """How many characters at the end may be the beginning of a marker."""
        text = self._kept
        return next((n for n in range(min(len(marker) - 1, len(text)), 0, -1) if text.endswith(marker[:n])), 0)
