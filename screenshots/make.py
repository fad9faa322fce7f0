"""Makes the pictures of README from real sessions: ``python screenshots/make.py`` (or ``make screenshots``).

A session is built with a demonstration model that answers like an endpoint does: it takes its time, is rate-limited now
and then, and repeats itself. It is recorded on a clock that runs a hundred times as fast, then replayed in the app.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import resvg_py
from movie import Movie

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.events import CaseAccepted, Event
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.message import MessageRole, NoticeContent
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.models.protocol import StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter
from dsbuilder_tui.session.plan_files import load_example
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.replay_session import ReplaySession
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import PlanCard
from dsbuilder_tui.tui.studio.conversation_pane import ConversationPane
from dsbuilder_tui.tui.studio.prompt import Prompt

HERE = Path(__file__).resolve().parent
_START = 1_795_356_840.0  # the recorded session begins at this time, seconds since the epoch
_HASTE = 25.0
_WAIT = 2.0  # seconds that a worker is told to wait when it is rate-limited
_MOMENT = 273  # cases that are there in the pictures of a session at work
FONT = "Fira Code"


class FastClock:
    """A clock that runs ``_HASTE`` times as fast as the wall."""

    def __init__(self) -> None:
        self._zero = time.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._zero) * _HASTE

    def now(self) -> float:
        return _START + self.monotonic()


class DemonstrationModel:
    """Writes like the built-in writer, at the pace and with the faults of an endpoint."""

    name = "gpt-4o-mini"
    provider = "openai"
    ordered = False

    def __init__(self, seed: int = 7) -> None:
        self._writer, self._random = OfflineWriter(), random.Random(seed)
        self._said: dict[str, list[dict[str, Any]]] = {}
        self._calls = 0

    async def close(self) -> None:
        await self._writer.close()

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return []

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        self._calls += 1
        if self._calls % 9 == 5:
            await self._think(0.4)
            raise TransientError(FailureKind.RATE_LIMIT, "429 Too Many Requests", retry_after=_WAIT)
        await self._think(1.2)
        said, written = self._said.setdefault(request.category.name, []), 0
        yield '{"cases": ['
        for number, wanted in enumerate(request.slots, 1):
            case = self._writer.write(request.plan, request.category, wanted.slot, wanted.attempt, request.seed)
            del case["tags"]  # which no model writes
            if said and wanted.attempt == 0 and self._random.random() < 0.13:
                case = self._once_more(self._random.choice(said))
            text = str(case["inputs"]["query"])
            said.append(case)
            await self._think(self._random.uniform(3, 9))
            written += len(text)
            yield (", " if number > 1 else "") + orjson.dumps({"slot": number, **case}).decode()
        yield "]}"
        yield StreamEnd("stop", Usage(len(request.prompt) // 4, written // 4, known=True))

    def _once_more(self, case: dict[str, Any]) -> dict[str, Any]:
        """A case that was written before, with other numbers, and said in a slightly other way."""
        numbers: dict[str, str] = {}

        def other(found: re.Match[str]) -> str:
            digits = found[0]
            return numbers.setdefault(digits, str(self._random.randrange(10 ** (len(digits) - 1), 10 ** len(digits))))

        again: dict[str, Any] = orjson.loads(re.sub(r"\d{4,}", other, orjson.dumps(case).decode()))
        if self._random.random() < 0.6:
            words = str(again["inputs"]["query"]).split()
            del words[self._random.randrange(len(words))]
            again["inputs"]["query"] = " ".join(words)
        return again

    async def _think(self, seconds: float) -> None:
        await asyncio.sleep(seconds / _HASTE)


async def record(folder: Path, until: int | None = None) -> Session:
    """A session of the customer-service example, with its conversation: finished, or paused at ``until`` cases."""
    plan = load_example("customer_service")
    config = DatasetBuilderConfig(
        checkpoint_dir=folder,
        max_dataset_size=1000,
        max_workers=6,
        batch_size=16,
        base_url="http://localhost:9/v1",
        judge="off",
    )
    session = await Session.create(plan, config, clock=FastClock())
    await session.chat.add(
        MessageRole.PERSON, "500 cases for our support bot: order status, refunds, and product questions."
    )
    await session.chat.add(MessageRole.DSBUILDER, "plan · rev 1", plan_content(plan, 1))
    await asyncio.sleep(20 / _HASTE)
    model = DemonstrationModel()
    run = asyncio.create_task(session.run(model))
    async for event in session.events():
        if event.type == "run_started":
            started = "✓ Started generating · 500 cases to write · up to 6 workers"
            await session.chat.add(MessageRole.DSBUILDER, started, NoticeContent())
        if until is not None and isinstance(event, CaseAccepted) and event.accepted >= until:
            session.request_pause()
            session.drop_in_flight()
        if event.type in ("run_finished", "run_paused"):
            break
    await run
    await model.close()
    return session


class Still(ReplaySession):
    """A replay that stands still: at its end, or where a pause was asked for, with the workers still at it."""

    def __init__(self, session: Session, events: Sequence[Event]) -> None:
        super().__init__(session, session.clock)
        paused = any(event.type == "run_paused" for event in events)
        for event in events:
            self.feed(event)
            if paused and isinstance(event, CaseAccepted) and event.accepted == _MOMENT:
                break

    models = "gpt-4o › gpt-4o-mini"
    mode = ""
    replaying, acts = False, True  # the picture shows the studio as it is when a session is at work

    def begin(self) -> None:
        """It stands still."""


def save(app: StudioApp, name: str) -> None:
    svg = app.export_screenshot(title="dsbuilder")
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    png = resvg_py.svg_to_bytes(svg_string=svg, monospace_family=FONT, sans_serif_family=FONT, background="#000000")
    (HERE / f"{name}.png").write_bytes(bytes(png))
    print(f"{name}.svg, {name}.png")


async def shoot(session: Session, name: str, size: tuple[int, int], keys: Sequence[str]) -> None:
    """One picture: replay as far as cases were written, press keys, save."""
    events = [event async for event in recorded_events(session)]
    app = StudioApp({"checkpoint_dir": session.folder.parent}, replay=Still(session, events))
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        messages = await session.chat.messages()
        await app.screen.query_one(ConversationPane).open(messages, lambda _: CardState.APPROVED)
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        save(app, name)


async def others(folder: Path) -> None:
    """More sessions for the list: one paused, one cut off, one not begun."""
    for name, count, until, state in (
        ("rag_negatives", 120, 120, None), ("code_review_bot", 300, 64, SessionState.RUNNING),
        ("flight_changes_es", 90, 30, None),
        ("refund_edge_cases", 60, 0, None),
    ):  # fmt: skip
        category = DatasetCategory(
            name="questions", count=count, example_inputs=["Where is my order #12345?", "Can I still change it?"]
        )
        plan = DatasetPlanInput(dataset_name=name, categories=[category])
        config = DatasetBuilderConfig(checkpoint_dir=folder, max_dataset_size=1000, batch_size=4, max_workers=1)
        async with await Session.create(plan, config) as session:

            def watch(event: Event, session: Session = session, until: int = until) -> None:
                if isinstance(event, CaseAccepted) and event.accepted >= until:
                    session.request_pause()

            session.subscribe(watch)
            if until:
                await session.run(OfflineWriter(pace=400))
            if state:  # as a kill would have left it
                await session._files.remember(state=state)


async def home(folder: Path) -> None:
    await others(folder)
    app = StudioApp({"checkpoint_dir": folder})
    app.animation_level = "none"
    async with app.run_test(size=(120, 22)) as pilot:
        await pilot.pause(0.8)
        save(app, "home")


BOT = '''
from agents import function_tool

SYSTEM_PROMPT = "You are the support assistant of an online shop. Be brief, look orders up, promise no refund by yourself."

@function_tool
def lookup_order(order_id: str) -> dict:
    """Status and carrier of an order."""

@function_tool
def start_refund(order_id: str, reason: str) -> str:
    """Open a refund case."""
'''


async def talk(folder: Path) -> None:
    """A conversation with the built-in planner: what it read, what was approved, and a change of mind on the way."""
    (folder / "bot").mkdir()
    (folder / "bot" / "bot.py").write_text(BOT, encoding="utf-8")
    (folder / "bot" / "README.md").write_text("# Shop assistant\n", encoding="utf-8")
    app = StudioApp({"checkpoint_dir": folder / "talk", "offline_pace": 4, "max_workers": 4, "batch_size": 5})
    app.animation_level = "none"
    with contextlib.chdir(folder):
        async with app.run_test(size=(120, 40)) as pilot:

            async def until(true: Callable[[], bool]) -> None:
                while not true():
                    await pilot.pause(0.05)

            def waits() -> bool:
                cards = list(app.screen.query(PlanCard))
                busy = app.screen.query_one(ConversationPane).answering
                return bool(cards) and cards[-1].state is CardState.OPEN and cards[-1].lit and not busy

            await pilot.press("n")
            await until(lambda: bool(app.screen.query(Prompt)))
            prompt = app.screen.query_one(Prompt)
            prompt.fill("the bot is in ./bot. 60 cases: half order status, the rest refunds and product info")
            await pilot.press("enter")
            await until(waits)
            await pilot.press("ctrl+y")
            await until(lambda: app.live is not None and app.live.view.accepted >= 20)
            prompt.focus()
            prompt.fill("add 10 complaints")
            await pilot.press("enter")
            await until(waits)
            await pilot.pause(0.5)
            save(app, "talk")
            await app.close_session()


async def film(folder: Path) -> None:
    """From the request to the finished cases, with the built-in planner and writer; each step is seen as long as it takes
    to read, however long it took."""
    size, request = (
        (120, 36),
        "60 cases for a customer service bot: half order status, the rest refunds and product info",
    )
    movie = Movie(size)
    app = StudioApp(
        {
            "checkpoint_dir": Path("datasets"),
            "provider": "offline",
            "offline_pace": 3,
            "max_workers": 4,
            "batch_size": 5,
        }
    )
    app.animation_level = "none"
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        pilot = await stack.enter_async_context(app.run_test(size=size))

        async def until(true: Callable[[], bool]) -> None:
            while not true():
                await pilot.pause(0.02)

        def seen(seconds: float) -> None:
            movie.add(app.export_screenshot(), seconds)

        def asks() -> bool:
            cards = list(app.screen.query(PlanCard))
            busy = app.screen.query_one(ConversationPane).answering
            return bool(cards) and cards[-1].state is CardState.OPEN and cards[-1].lit and not busy

        def accepted() -> int:
            return app.live.view.accepted if app.live is not None else 0

        def finished() -> bool:
            return app.live is not None and app.live.view.state is RunState.FINISHED

        await pilot.press("n")
        await until(lambda: bool(app.screen.query(Prompt)))
        prompt = app.screen.query_one(Prompt)
        prompt.cursor_blink = False
        await pilot.pause(0.5)
        seen(0.8)
        for end in range(3, len(request) + 3, 3):
            prompt.fill(request[:end])
            await pilot.pause(0.05)
            seen(0.08)
        seen(0.5)
        await pilot.press("enter")
        await until(asks)
        await pilot.pause(0.5)
        seen(3.2)
        await pilot.press("ctrl+y")
        for count in range(1, 61, 2):
            await until(lambda count=count: accepted() >= count or finished())  # type: ignore[misc]
            await pilot.pause()
            seen(0.22)
            if count == 31:
                movie.choose_still()
        await until(finished)
        await pilot.pause(0.5)
        seen(2)
        await pilot.press("f2")
        await pilot.pause(0.8)
        seen(1.2)
        for _ in range(3):
            await pilot.press("down")
            await pilot.pause(0.3)
            seen(0.7)
        seen(1.5)
        await app.close_session()
    (HERE / "film.svg").write_text(movie.svg(), encoding="utf-8")
    print(f"film.svg: {len(movie.frames)} frames, {sum(movie.seconds):.0f} s")


async def main(only: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="dsbuilder-shots-") as folder:
        session, at_work = await asyncio.gather(record(Path(folder)), record(Path(folder) / "at_work", _MOMENT))
        pictures: list[tuple[str, tuple[int, int], list[str]]] = [
            ("studio", (120, 36), []),
            ("studio-narrow", (80, 24), ["tab"]),
            ("studio-large", (200, 50), []),
            ("coverage", (120, 36), ["f3", "down"]),
            ("duel", (120, 32), ["f5", *["down"] * 7]),
            ("duel-narrow", (80, 24), ["f5", *["down"] * 7]),
            ("cases", (120, 36), ["f2", "down"]),
            ("checkpoints", (120, 30), ["f4", "left", "left", "left"]),
            ("workers", (120, 36), ["f6"]),
            ("help", (120, 50), ["f1"]),
        ]
        for name, size, keys in pictures:
            if only in (None, name):
                # The lists show all that a session holds, so the view beside them is that of its end.
                await shoot(at_work if name.startswith("studio") else session, name, size, keys)
        await session.aclose()
        await at_work.aclose()
        if only in (None, "home"):
            await home(Path(folder))
        if only in (None, "talk"):
            await talk(Path(folder))
        if only in (None, "film"):
            await film(Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", help="make only this picture")
    asyncio.run(main(parser.parse_args().only))
