"""Text that would like to be more than text, and a session that is full of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.agent.turn_events import Activity, ToolStarted, TurnEvent
from dsbuilder_tui.domain import plan as plan_rules
from dsbuilder_tui.domain import plan_values
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.message import CommandContent, MessageRole, NoticeContent, QuestionContent, message_content
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.models.protocol import StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.session import Session
from dsbuilder_tui.tui.live_session import LiveSession
from tests.support.raw_file import written_otherwise
from tests.support.studio import Answers

CONTROLS = (
    "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;evil title\x07", "\x1b]2;evil\x1b\\", "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x1b]9;evil\x07", "\x1b]1337;File=inline=1:ZXZpbA==\x07", "\x1b[2J", "\x1b[6n", "\x1b[3J", "\x1b[777;777H", "\x1b[31mred\x1b[0m",
    "\x1bP+q544e\x1b\\", "\x1b_evil\x1b\\", "\x1b^evil\x1b\\", "\x1bXevil\x1b\\", "\x1bc", "\x1b#8", "\x9b2J", "\x9d0;evil\x9c",
    "\x90evil\x9c", "\x9f\x98", "\x84\x85\x8d", "bell\x07", "nul\x00", "del\x7f", "cr\rover", "back\x08\x08\x08", "\x0b\x0c\x0e\x0f",
    "\u202eoverride\u202c", "\u2066isolate\u2069", "\u200emark\u200f", "\u061cletter", "\u2028line\u2029", "zero\u200bwidth\ufeff\u2060",
)  # fmt: skip
MARKUP = (
    "[/]", "[bold", "[link=http://evil.example]x[/link]", "[@click=app.exit]x[/]", "[@click=app.bell()]b[/]", "[red on blue]x",
    "[$primary]v[/]", "[b]b[/b]", "\\[x\\]", "[md](http://evil.example)", "![img](http://evil.example/a.png)", "<b>html</b>",
    "<http://evil.example/%1B%5D52;c;ZXZpbA==%07%C2%9B2J>", "&#27;[2J&#155;&#x202E;&#13;&rlm;", "`code`", "| a | b |", "# head",
    "```\x1b[2J", ":smile:", "$(evil)", "{evil}", "%s%n", "W" * 400, "e" + "\u0301" * 60, "漢字" * 60, "👩‍👩‍👧‍👦🏴" * 8, "\t\ttab",
)  # fmt: skip
CORPUS = (*CONTROLS, *MARKUP)
EVIL = "\x1b]52;c;ZXZpbA==\x07\x9b2J\u202e\u200b[/][@click=app.exit]x[/][bold"
ALL = " ".join(CORPUS)
LETTER = (
    "# Head " + EVIL + "\n\nText " + " ".join(CONTROLS) + "\n\n- item " + EVIL + "\n1. one [click me](http://evil.example/\x1b[2J)\n\n"
    "> quote " + " ".join(MARKUP[:21]) + "\n\n| a " + EVIL.replace("|", "") + " | b |\n|---|---|\n| &#x202E;&#13;c | `\x1b[2J` |\n\n"
    "```python\nx = '\x1b[2J\x9b' \u202e\n```\n\n<div>\x1b]0;html\x07</div>\n\n![pic \x1b[2J](file:///etc/passwd)\n\n"
    "<http://evil.example/%1B%5D52;c;ZXZpbA==%07%E2%80%AE>\n\n" + "W" * 300 + " e" + "\u0301" * 80
)  # fmt: skip
# What must never be in a cell: controls, bidi controls, invisible characters, halves of surrogate pairs.
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff]"
)


def category_names() -> list[str]:
    return [EVIL, "[/]name", *(f"{piece[:40]}n{i}" for i, piece in enumerate(CONTROLS[:4]))]


@contextmanager
def any_name() -> Iterator[None]:
    """Plans may have any names, as if a check had been forgotten or an older version had let them in."""
    kept = plan_rules.checked_name
    for rules in (plan_rules, plan_values):
        rules.checked_name = lambda value, *_: str(value)
    try:
        yield
    finally:
        for rules in (plan_rules, plan_values):
            rules.checked_name = kept


def hostile_plan(count: int = 14) -> DatasetPlanInput:
    categories = [
        DatasetCategory(
            name=name, description=ALL, count=count, example_inputs=[EVIL], expectations={EVIL: ALL},
            attributes={f"axis{EVIL}": (f"one {EVIL}", "two [/]")},
        )
        for name in category_names()
    ]  # fmt: skip
    return DatasetPlanInput(dataset_name=f"data{EVIL}", description=ALL, categories=categories)


class HostileModel:
    """Writes cases out of the corpus, repeats itself, is rude about its form, fails, and gives up after ``calls``."""

    provider = "openai"
    ordered = False

    def __init__(self, calls: int = 18, *, hang: bool = False) -> None:
        self.name = f"model{EVIL}"
        self._left, self._hang, self._count = calls, hang, 0

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return [("warning", f"beware {EVIL}"), ("info", ALL)]

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        self._left -= 1
        if self._left == 15:
            raise TransientError(FailureKind.SERVER, f"500 {EVIL}", 0.01)
        if self._left == 14:
            yield f"prose {EVIL} and no case"
            yield StreamEnd("stop", Usage(), refusal=f"no {EVIL}")
            return
        if self._left < 0:
            if self._hang:
                await asyncio.sleep(3600)
            raise EndpointRefused(f"The endpoint said: {EVIL}", f"Ask {ALL}")
        yield '{"cases": ['
        for number, _ in enumerate(request.slots, 1):
            piece = CORPUS[self._count % len(CORPUS)]
            self._count += 1
            words = f"{piece} asks about {'abcdefghijklmnopqrstuvwxyz'[self._count % 26] * 5} {'nopqrstuvwxyzabcdefghijklm'[self._count // 26] * 4}"
            if self._count % 5 == 0:
                words = f"once more {EVIL} the very same words in the very same order"
            case: dict[str, Any] = {"slot": number, "inputs": {"query": words}, "expectations": {f"k{EVIL}": piece}}
            if self._count % 11 == 0:
                case = {"slot": number, "inputs": {f"wrong{EVIL}": EVIL}, "expectations": {}}
            yield json.dumps(case) + ","
        yield "]}" + EVIL
        yield StreamEnd("stop", Usage(100, 100, known=True))

    async def close(self) -> None: ...


class HostileAgent(Answers):
    """A main agent that says terrible things, in small pieces that cut escapes in two."""

    def __init__(self) -> None:
        super().__init__(*(LETTER[start : start + 37] for start in range(0, len(LETTER), 37)))
        self.go.set()
        self.answers = 0

    async def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]:
        yield Activity(f"doing {EVIL}")
        yield ToolStarted("evil", f"tool{EVIL}", f"begun {EVIL}")
        async for part in super().say(text, pastes):
            yield part
        self.answers += 1


async def hostile_session(root: Path) -> Path:
    """A session with hostile text wherever the engine takes it, and by hand where it does not. Returns its folder."""
    config = DatasetBuilderConfig(
        checkpoint_dir=root, provider="offline", max_workers=2, batch_size=6, max_dataset_size=1000
    )
    session = await Session.create(hostile_plan(), config)
    live = await LiveSession.open(session, lambda _: HostileModel())
    live.start()
    await live.wait()
    await session.checkpoints.save(f"point {EVIL}")
    cases = await session.cases.page(0, 50)
    for case in cases[:4]:
        await session.cases.annotate(case.category, case.ordinal, note=f"note\n{ALL}", pinned=True)
    await session.chat.add(MessageRole.PERSON, ALL)
    await session.chat.add(MessageRole.AGENT, LETTER)
    tool = {
        "call": "c1",
        "tool": f"tool{EVIL}",
        "ok": False,
        "seconds": 1.0,
        "arguments": ALL,
        "answer": f'{{"{EVIL}": 1}}',
    }
    await session.chat.add(MessageRole.AGENT, f"did {EVIL}", message_content("tool", tool))
    await session.chat.add(MessageRole.AGENT, f"May I {EVIL}?\n{ALL}", QuestionContent(call="c2", tool=f"tool{EVIL}"))
    await session.chat.add(MessageRole.DSBUILDER, f"✓ {EVIL}", NoticeContent())
    await session.chat.add(MessageRole.DSBUILDER, LETTER, CommandContent())
    await session.chat.save_draft(f"draft {EVIL}")
    await live.close()
    folder = session.folder
    with written_otherwise(folder / "session.db") as file:
        file.execute(
            "UPDATE rejection SET reason = ?, nearest_case_id = ? WHERE nearest_case_id IS NOT NULL",
            (ALL, f"{EVIL}-00007"),
        )
        file.execute(
            "UPDATE rejection SET stage = ?, score = 0.9, threshold = 0.8 WHERE seq IN (SELECT max(seq) FROM rejection)",
            (f"s{EVIL}",),
        )
        file.execute("UPDATE worker_call SET detail = ?, model = ?, outcome = ? WHERE seq % 2", (ALL, EVIL, f"o{EVIL}"))
        file.execute("UPDATE history SET kind = ? WHERE kind = 'case_annotated' AND seq % 2", (f"h{EVIL}",))
        file.execute(
            "INSERT INTO message SELECT max(seq) + 900, 1, ?, ?, ?, '{}', 0 FROM message",
            (f"role{EVIL}", f"kind {EVIL}", ALL),
        )
        file.execute(
            "INSERT INTO message SELECT max(seq) + 1, 1, 'dsbuilder', 'plan', ?, ?, 0 FROM message",
            (ALL, '{"rows": [{"x": 1}], "planned": "y"}'),
        )
    renamed = folder.with_name("a\x1b]0;evil\x07[@click=app.exit]\x7f\u202eb")
    folder.rename(renamed)
    broken = root / "c\x1b[2J[bold"
    broken.mkdir()
    (broken / "session.db").write_bytes(b"\x1b]0;evil\x07" * 50)
    return renamed
