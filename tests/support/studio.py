"""The real app in a test: its keys, its screen as text, and a worker model that does as the test says."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widget import Widget

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.monitor import Note
from dsbuilder_tui.agent.turn_events import Activity, TextDelta, TurnEvent
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.message import MessageRole, TextContent
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.models.protocol import StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter
from dsbuilder_tui.session import Message
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.live_session import LiveSession
from dsbuilder_tui.tui.studio.cards import GRACE, Card
from dsbuilder_tui.tui.studio.chat import ChatLog

T = TypeVar("T")
PATIENCE = 10.0
WIDE, NARROW = (120, 36), (80, 24)


async def wait_for(pilot: Pilot[Any], predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """What ``predicate`` gives as soon as that is true; fails with what is on the screen."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not (found := predicate()):
        if asyncio.get_running_loop().time() > deadline:
            what = what or inspect.getsource(predicate).strip()  # type: ignore[arg-type]
            raise AssertionError(f"never came true: {what}\n{screen_text(pilot.app)}")
        await asyncio.sleep(0.03)
    return found


def screen_text(app: Any) -> str:
    """Everything that the terminal shows now."""
    screen = app.screen
    strips = screen._compositor.render_strips(screen.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


class SkippingClock(SystemClock):
    """The system's clock, on which a test can let time pass at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def skip(self, seconds: float) -> None:
        self.skipped += seconds

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


class StandingClock(SkippingClock):
    """One that stands until a test lets it go: however slow the machine is, no time passes between two keys."""

    def __init__(self) -> None:
        super().__init__()
        self.stands_at: float | None = super().monotonic()

    def monotonic(self) -> float:
        return super().monotonic() if self.stands_at is None else self.stands_at + self.skipped


class User:
    """An app under test and the hands on its keyboard."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot
        self.app: StudioApp = pilot.app  # type: ignore[assignment]

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def live(self) -> LiveSession:
        assert self.app.live is not None
        return self.app.live

    @property
    def session(self) -> Session:
        return self.live.session

    @property
    def place(self) -> str:
        """The screen's class."""
        return type(self.app.screen).__name__

    @property
    def focus(self) -> str:
        """The focused widget: its id, or its class."""
        widget = self.app.focused
        return "" if widget is None else widget.id or type(widget).__name__

    @property
    def told(self) -> str:
        """All notifications so far."""
        return "\n".join(str(notification.message) for notification in self.app._notifications)

    def one(self, selector: str, kind: type[Any] = Widget) -> Any:
        return self.app.screen.query_one(selector, kind)

    async def answer(self, *keys: str) -> None:
        """Press keys for the card that waits, as somebody who has had the time to look at it."""

        def seen() -> bool:
            waiting = [
                card for card in self.app.screen.query(Card) if card.state == "open" and card.ready(float("inf"))
            ]
            # One that is still being scrolled into view is only shown by its chord, not answered.
            logs = [log for log in self.app.screen.query(ChatLog) if log.size.height]
            return bool(waiting) and all(log.shows(waiting[-1]) for log in logs)

        await self.until(seen)
        await self.pilot.pause()
        assert isinstance(self.app.clock, SkippingClock)
        self.app.clock.skip(2 * GRACE)
        await self.press(*keys)

    async def press(self, *keys: str) -> None:
        _PRESSED.update(keys)
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Type a text, as fast as a terminal hands it over."""
        for character in text:
            key = "enter" if character == "\n" else _character_to_key(character)
            event = events.Key(key, character)
            event.set_sender(self.app)
            self.app._driver.send_message(event)  # type: ignore[union-attr]
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def until(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        return await wait_for(self.pilot, predicate, timeout)

    async def until_async(self, ask: Callable[[], Awaitable[T]], timeout: float = PATIENCE) -> T:
        """The same for what must be asked for, such as what the session's file says."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not (found := await ask()):
            assert asyncio.get_running_loop().time() < deadline, (
                f"never came true: {inspect.getsource(ask)}\n{self.text}"
            )  # type: ignore[arg-type]
            await asyncio.sleep(0.01)
        return found

    async def sees(self, *words: str) -> str:
        """Wait until all of the words are on the screen."""
        for some in words:
            await wait_for(self.pilot, lambda some=some: some in self.text, what=repr(some))
        return self.text

    async def misses(self, words: str) -> None:
        await wait_for(self.pilot, lambda: words not in self.text, what=f"no {words!r}")

    async def at(self, place: str, focus: str | None = None) -> None:
        """Wait until this screen is shown, and this widget has the focus."""
        await wait_for(self.pilot, lambda: self.place == place, what=f"{self.place} becomes {place}")
        if focus is not None:
            await wait_for(self.pilot, lambda: self.focus == focus, what=f"focus {self.focus} becomes {focus}")

    async def to_work(self) -> None:
        """Wait until the studio has opened a session, and go to its prompt: a finished one may show what it made first."""
        await self.at("StudioScreen")
        studio: Any = self.app.screen
        await self.until(studio.opened.is_set)
        studio.to_prompt()
        await self.at("StudioScreen", "prompt")

    async def command(self, text: str) -> None:
        """Send a slash command, or anything else, from the prompt."""
        prompt = self.one("#prompt")
        prompt.focus()
        prompt.fill(text)
        await self.pilot.pause()
        prompt._close_choices()
        await self.press("enter")

    async def state(self, state: str) -> None:
        """Wait until the run is in this state and, at rest, is over."""
        await wait_for(
            self.pilot,
            lambda: self.live.view.state == state and self.live.running == self.live.view.busy,
            what=f"state {self.live.view.state} becomes {state}",
        )

    async def said(self, words: str) -> Message:
        """Wait until the conversation on disk holds these words."""

        async def look() -> Message | None:
            found = [m for m in await self.session.chat.messages() if words in m.text]
            return found[-1] if found else None

        return await self.until_async(look)  # type: ignore[return-value]


@asynccontextmanager
async def studio(
    *,
    size: tuple[int, int] = WIDE,
    model: Any = None,
    flags: dict[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[User]:
    """The app, shown; left in order at the end."""
    if "responder" in more:
        more["make_talk"] = more.pop("responder")
    if model is not None:
        more["make_model"] = lambda config: model
    more.setdefault("clock", SkippingClock())
    quiet_cards = {"plan_samples": 0}  # a test's model is asked for what the test is about
    app = StudioApp({"max_dataset_size": 1_000_000, "offline_pace": 0, **quiet_cards, **(flags or {})}, **more)
    async with app.run_test(size=size, notifications=True) as pilot:
        user = User(pilot)
        await wait_for(pilot, lambda: user.place in ("HomeScreen", "StudioScreen", "QuestionDialog"))
        await pilot.pause()
        try:
            yield user
        finally:
            for event in ("gate", "go"):
                if hasattr(model, event):
                    getattr(model, event).set()
            await app.close_session()


async def begin(user: User, plan: DatasetPlanInput, **settings: Any) -> None:
    """A new session, shown with its plan to approve."""
    await user.app.create_session(plan, **settings)
    await user.at("StudioScreen", "PlanCard")


class Stretched(SystemClock):
    """A wall clock on which everything takes a thousand times as long."""

    def now(self) -> float:
        return 1_795_000_000 + 1000 * self.monotonic()


async def built(
    plan: DatasetPlanInput, *, model: Any = None, until: int = 0, clock: Clock | None = None, **settings: Any
) -> str:
    """A session on disk that was run (to the end, or until ``until`` cases are there); its name."""
    config = load_config(max_dataset_size=1_000_000, **settings)
    async with await Session.create(plan, config, clock=clock) as session:

        def stop(event: Event) -> None:
            if until and getattr(event, "accepted", 0) >= until:
                session.request_pause()
                session.drop_in_flight()

        session.subscribe(stop)
        await session.run(model)
        return session.id


class Scripted:
    """Writes what the built-in writer would, but when and how the test says.

    ``hold`` cases of a call come at once, the others when ``gate`` is set. ``faults`` are raised first, one a call.
    With ``echo`` every case says that, so that all but one are turned away.
    """

    name = "built-in"
    provider = "offline"
    ordered = False

    def __init__(self, *, hold: int | None = None, faults: Sequence[Exception] = (), echo: str = "") -> None:
        self.hold, self.faults, self.echo = hold, list(faults), echo
        self.gate = asyncio.Event()
        self.calls = 0
        self.pace = 0.0
        self._writer = OfflineWriter()

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return []

    async def close(self) -> None:
        await self._writer.close()

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        yield '{"cases": ['
        for number, wanted in enumerate(request.slots, 1):
            if self.hold is not None and number > self.hold:
                await self.gate.wait()
            case = self._writer.write(request.plan, request.category, wanted.slot, wanted.attempt, request.seed)
            if self.echo:
                case["inputs"] = {"query": self.echo}
            yield (", " if number > 1 else "") + orjson.dumps({"slot": number, **case}).decode()
            await asyncio.sleep(0)
        yield "]}"
        yield StreamEnd("stop", Usage(100, 10 * len(request.slots), True))


def limited(wait: float = 30.0) -> TransientError:
    return TransientError(FailureKind.RATE_LIMIT, "429 Too Many Requests", retry_after=wait)


class Answers:
    """Stands in for the agent's dialogue: says its pieces one by one; after the first, each waits for ``go`` to be set."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces or ("One", " two", " three")
        self.go = asyncio.Event()
        self.asked: list[str] = []
        self.noted: list[Note] = []

    def __call__(self, user: Host) -> Answers:
        self._user = user
        return self

    @property
    def busy(self) -> bool:
        return False

    async def open(self) -> None:
        return None

    async def prepare(self) -> None:
        return None

    async def waiting(self) -> Approval | None:
        return None

    async def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]:
        session = self._user.session
        await session.chat.add(MessageRole.PERSON, text, TextContent(pastes=dict(pastes or {})))
        self.asked.append("\n\n".join([text, *(pastes or {}).values()]))
        heard = ""
        try:
            for number, piece in enumerate(self.pieces):
                if number:
                    await self.go.wait()
                heard += piece
                yield TextDelta(piece)
        except (asyncio.CancelledError, GeneratorExit):
            await session.chat.add(MessageRole.AGENT, f"{heard} *(stopped)*")
            raise
        yield await session.chat.add(MessageRole.AGENT, heard)

    async def answer(
        self, approval: Approval, *, yes: bool, words: str = "", plan: DatasetPlanInput | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        yield Activity("listening")

    async def note(self, note: Note) -> AsyncGenerator[TurnEvent, None]:
        self.noted.append(note)
        yield Activity("listening")


# Which keys have a test

_PRESSED: set[str] = set()
COVERED: set[tuple[str, str]] = set()


def covers(place: str, *keys: str) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Says that a test is the one for these keys of a place of Help, and sees to it that it presses them."""

    def mark(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        assert test.__name__.startswith("test_")
        COVERED.update((place, key) for key in keys)

        @functools.wraps(test)
        async def checked(*args: Any, **named: Any) -> None:
            _PRESSED.clear()
            await test(*args, **named)
            assert not set(keys) - _PRESSED, "the test does not press its keys"

        return checked

    return mark
