"""Conversations of the built-in writer: a request is spread over turns, so that the last message needs those before it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from enum import Enum

from dsbuilder_tui.domain.conversation import Speaker
from dsbuilder_tui.offline.writer.dialogues import Dialogue
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, mail_parts, perturbed
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory
from dsbuilder_tui.offline.writer.templates import lower_first
from dsbuilder_tui.offline.writer.values import Entity, ValuePool
from dsbuilder_tui.offline.writer.written_message import WrittenMessage

_CORRECTED = ("city", "date", "weekday", "number", "money")  # kinds of values that somebody may take back
_REFERENCE = "reference"  # what an id is called that nothing is said of


class _Ending(Enum):
    """What the last message has to do with those before it."""

    ALONE = "alone"  # there are none
    LEFT_OUT = "left_out"  # it says that it cannot give what was asked for
    SUPPLIED = "supplied"  # it gives the number that was asked for
    CORRECTED = "corrected"  # it takes back a value
    ADDED = "added"  # it adds to the request, which it does not repeat
    RETURNED = "returned"  # it comes back to the first of two requests


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenRequest:
    """What a conversation is made of: the request, what goes around it, and what is known of the whole."""

    core: str  # with its values filled in
    vague_core: str  # the same without its ids
    message: WrittenMessage
    around: Surroundings
    other: str = ""  # the sentence of another request that could come between
    history: tuple[tuple[Speaker, str], ...] = ()  # what is said before it in an example


@dataclass(slots=True)
class SpokenConversation:
    """Messages, with their placeholders still in them, and what the history asks of a right answer."""

    turns: list[tuple[Speaker, str]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def user(self, *parts: str) -> None:
        said = ""
        for part in parts:
            if part:
                said += (" " if said else "") + (lower_first(part) if said.endswith(",") else part)
        self.turns.append((Speaker.USER, said))

    def assistant(self, text: str) -> None:
        self.turns.append((Speaker.ASSISTANT, text))


class ConversationComposer:
    """Composes conversations in one language for one slot. ``opening`` and ``closing`` are the first and the last words."""

    def __init__(self, known: StudiedCategory, frame: Frame, pool: ValuePool, rng: random.Random) -> None:
        self._known, self._frame, self._pool, self._rng = known, frame, pool, rng
        self._say = Dialogue(known.language, rng)
        tone = known.phrases["tone"].get(frame.tone or "neutral")
        self._opening, self._closing = (rng.choice(frame.of_its_length(tone[part])) for part in ("open", "close"))
        self._mail: tuple[str, str] | None = None
        if frame.channel == "email" and known.phrases["channel"]["email"]["open"][0]:
            mail, self._opening, self._closing = mail_parts(self._opening, self._closing, known.phrases, rng)
            self._mail = pool.fill(mail[0], rng), pool.fill(mail[1], rng)  # the same name under each

    def compose(self, request: SpokenRequest, length: int) -> SpokenConversation:
        """A conversation of ``length`` messages, of which the last is the user's."""
        frame, around = self._frame, request.around
        users = (length + 1) // 2
        ending = self._ending(request, users)
        details = list(around.details)[: {"short": 0, "long": 3}.get(frame.length, 2)]
        spoken = SpokenConversation()
        if length % 2 == 0:
            spoken.assistant(self._say("greeting"))
        if ending is _Ending.ALONE:
            spoken.user(
                self._opening,
                *frame.background,
                around.asked_before,
                *self._last(around, request.core, *details, around.vague),
            )
            return spoken
        between = users - (3 if ending is _Ending.RETURNED else 2)
        first = [self._opening, *frame.background, around.asked_before]
        if between and (not details or self._rng.random() < 0.4):
            between -= 1
            self._greet(spoken)
            del first[0]
        core, asked, answer = self._parts(spoken, request, ending)
        spoken.user(*first, core)
        heard = self._fill(spoken, between, details)
        spoken.assistant(self._say.other_than("more", heard) if heard and ending is _Ending.ADDED else asked)
        if ending is _Ending.RETURNED:
            spoken.user(request.other)
            spoken.assistant(self._say("both"))
        elif ending is _Ending.ADDED:
            goes_on = around.second or around.attack or around.off_topic
            answer = " ".join(details) or ("" if goes_on else answer)
        elif ending is not _Ending.LEFT_OUT and details:
            answer += f" {details[0]}"
        spoken.user(*self._last(around, answer))
        return spoken

    def lead_to(self, request: SpokenRequest, length: int) -> SpokenConversation:
        """The history that an example has, made as long as it is to be, and the last message behind it."""
        spoken = SpokenConversation(list(request.history)[-(length - 1) :] if length > 1 else [])
        missing = length - 1 - len(spoken.turns)
        before = SpokenConversation()
        if missing % 2:
            before.assistant(self._say("greeting"))
        if missing > 1:
            self._greet(before)
        for _ in range(missing // 2 - 1):
            before.user(self._new_detail(before))
            before.assistant(self._say("more"))
        spoken.turns[:0] = before.turns
        spoken.user(*self._last(request.around, request.core, *self._frame.background))
        spoken.expected.append(self._say("history"))
        return spoken

    def said(self, spoken: SpokenConversation) -> tuple[list[dict[str, str]], list[str]]:
        """The messages as they arrive, and the names of what was done to the user's."""
        messages, done, manner = [], list[str](), self._rng.random()
        for speaker, text in spoken.turns:
            text = self._pool.fill(text, self._rng)
            if speaker is Speaker.USER:
                # Who writes without capitals does so in each message.
                text, done = perturbed(text, self._frame, self._known.phrases, random.Random(manner))
                text = text if self._mail is None else f"{self._mail[0]}\n\n{text}\n\n{self._mail[1]}"
            messages.append({"role": speaker.value, "content": text})
        return messages, done

    def _ending(self, request: SpokenRequest, users: int) -> _Ending:
        if users == 1:
            return _Ending.ALONE
        if request.message.is_vague:
            return _Ending.LEFT_OUT
        entities = request.message.entities
        ids = [one for one in entities if one.kind == "id"]
        endings = [_Ending.SUPPLIED, _Ending.CORRECTED] if len(ids) == 1 else [_Ending.ADDED]
        if not ids and any(one.kind in _CORRECTED and _place(one, request.core) for one in entities):
            endings = [_Ending.CORRECTED, _Ending.CORRECTED, _Ending.ADDED]
        if users > 2 and request.other and request.message.second is None:
            endings.append(_Ending.RETURNED)
        return self._rng.choice(endings)

    def _parts(self, spoken: SpokenConversation, request: SpokenRequest, ending: _Ending) -> tuple[str, str, str]:
        """The request as it comes first, what the assistant asks, and what the user says to that."""
        say, message = self._say, request.message
        given = next((one for one in message.entities if one.kind == "id"), None)
        noun = (given.noun if given else "") or _REFERENCE
        match ending:
            case _Ending.SUPPLIED if given:
                spoken.expected.append(say("history"))
                return request.vague_core, say("ask_id", noun=noun), say("give_id", id=given.value)
            case _Ending.CORRECTED:
                chosen = given or self._rng.choice(
                    [one for one in message.entities if one.kind in _CORRECTED and _place(one, request.core)]
                )
                old = self._another(chosen)
                place = _place(chosen, request.core)
                core = f"{request.core[: place.start()]}{old}{request.core[place.end() :]}" if place else request.core
                spoken.expected.append(say("corrected", new=chosen.value, old=old))
                if chosen is given:
                    return core, say("have_id", noun=noun, old=old), say("right_id", id=chosen.value, old=old)
                return core, say("checking"), say("right_value", new=chosen.value, old=old)
            case _Ending.RETURNED:
                spoken.expected.append(say("returns"))
                return request.core, say("meanwhile"), say("first_one")
            case _Ending.LEFT_OUT:
                asked = (
                    "ask_which"
                    if "missing" not in self._frame.flags
                    else "ask_id"
                    if message.missing
                    else "ask_missing"
                )
                asked = say(asked, noun=message.missing.removesuffix(" number"))
                return request.vague_core, asked, request.around.vague
        spoken.expected.append(say("history"))
        return request.core, say("ask_more"), say("nothing_more")

    def _greet(self, spoken: SpokenConversation) -> None:
        spoken.user(self._opening, self._say("hello"))
        spoken.assistant(self._say("go_on"))

    def _fill(self, spoken: SpokenConversation, number: int, details: list[str]) -> list[str]:
        """So many more exchanges in the middle, in which the user adds something. Returns what was asked."""
        asked: list[str] = []
        for place in range(number):
            asked.append(self._say.other_than("more" if place else "ask_more", asked))
            spoken.assistant(asked[-1])
            spoken.user(details.pop() if details else self._new_detail(spoken))
        return asked

    def _new_detail(self, spoken: SpokenConversation) -> str:
        said = {text for _, text in spoken.turns}
        groups = [group for group in self._known.phrases["detail"] if not group.get("when")]
        free = [one for group in groups for one in group["say"] if one and one not in said]
        return self._rng.choice(free) if free else self._say("nothing_more")

    def _last(self, around: Surroundings, *answer: str) -> list[str]:
        before, after = (around.attack, "") if around.attack_first else ("", around.attack)
        closing = "" if self._frame.length == "short" else self._closing
        return [before, *answer, around.second, after, around.off_topic, *self._frame.context, closing]

    def _another(self, entity: Entity) -> str:
        placeholder = f"{{{entity.kind}:{entity.value}}}"
        for _ in range(9):
            found = self._pool.drawn(placeholder, self._rng)[placeholder]
            if found != entity.value:
                return found
        return entity.value


def _place(entity: Entity, core: str) -> re.Match[str] | None:
    """Where a value stands in a request."""
    return re.search(rf"(?<!\w){re.escape(entity.value)}(?!\w)", core)
