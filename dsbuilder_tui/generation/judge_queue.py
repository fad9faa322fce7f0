"""The queue of the judge: cases that wait for a verdict, put together to calls, and asked about once more if there was none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.judging import Judgement, Verdict
from dsbuilder_tui.quality.judge_prompt import CASES_A_CALL, PresentedCase
from dsbuilder_tui.quality.verdict_reader import NoVerdict

_MOST_ASKED = 2  # times that a case is asked about
_MOST_CHARACTERS = 60_000  # of the cases in one call
# What may be the fault of one case among them: each is then asked about by itself.
_ONE_BAD_CASE = (NoVerdict.REFUSED, NoVerdict.TOO_LARGE)

Verdicts = tuple[Verdict | NoVerdict, ...]


@dataclass(eq=False, slots=True, kw_only=True)
class JudgeItem:
    """A case that waits for a verdict. ``deliver`` takes it; ``drop`` is called instead when there will be none now."""

    slot: Slot
    case: PresentedCase
    deliver: Callable[[Verdict], Awaitable[None]]
    drop: Callable[[], None]
    asked: int = 0
    alone: bool = False
    characters: int = 0


class AskJudge(Protocol):
    """Makes one call about cases of one category."""

    async def __call__(self, items: list[JudgeItem]) -> Verdicts | None:
        """A verdict on each, or why there is none; None when no call could be made. What it raises ends the queue."""
        ...


@dataclass(slots=True)
class _Tray:
    """The cases of one category that wait."""

    items: deque[JudgeItem] = field(default_factory=deque)
    again: deque[JudgeItem] = field(default_factory=deque)


class JudgeQueue:
    """Groups cases to calls of ten, and sees to it that each has its verdict, is said not to be judged, or is dropped.

    A case without a usable verdict is asked about once more; then it counts as not judged.
    """

    def __init__(
        self,
        ask: AskJudge,
        model_name: str,
        *,
        failed: Callable[[BaseException | None], None],
        changed: Callable[[], None],
    ) -> None:
        """``failed`` is told, once, of what an ``ask`` raised, or None where the endpoint kept failing; all that wait are
        dropped then. ``changed`` is called whenever a call has ended."""
        self._ask, self._model_name, self._failed, self._changed = ask, model_name, failed, changed
        self._trays: dict[str, _Tray] = {}
        self._calls: dict[asyncio.Task[None], list[JudgeItem]] = {}
        self.closed = False

    @property
    def waiting(self) -> int:
        """Cases without a verdict yet, those that are being asked about among them."""
        there = sum(len(tray.items) + len(tray.again) for tray in self._trays.values())
        return there + sum(len(items) for items in self._calls.values())

    @property
    def calls(self) -> int:
        """Calls in flight."""
        return len(self._calls)

    def put(self, item: JudgeItem) -> None:
        """Take in a case; it is asked about when there are ten of its category, or at the next ``flush``."""
        if self.closed:
            item.drop()
            return
        item.characters = len(item.case.as_json())
        self._trays.setdefault(item.slot.category, _Tray()).items.append(item)
        self._start(item.slot.category, full=True)

    def flush(self, categories: Collection[str] | None = None) -> None:
        """Ask about what there is of these categories, or of all: nothing more is to be expected soon."""
        for name in tuple(self._trays) if categories is None else categories:
            if name in self._trays:
                self._start(name, full=False)

    async def close(self) -> None:
        """Ask about nothing more; what waits is dropped."""
        self.give_up()
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def give_up(self) -> None:
        """Begin no more calls, and drop what waits for one. Calls in flight go on."""
        self.closed = True
        for tray in self._trays.values():
            left = [*tray.items, *tray.again]
            tray.items.clear()
            tray.again.clear()
            for item in left:
                item.drop()

    def _start(self, name: str, *, full: bool) -> None:
        tray = self._trays[name]
        while group := _group(tray, full=full):
            task = asyncio.create_task(self._judge(group))
            self._calls[task] = group
            task.add_done_callback(self._ended)

    async def _judge(self, group: list[JudgeItem]) -> None:
        for item in group:
            item.asked += 1
        left = list(group)
        try:
            verdicts = await self._ask(group)
            if verdicts is None:
                self._stop(None)
                return
            for item, verdict in zip(group, verdicts, strict=True):
                left.remove(item)
                await self._take(item, verdict)
        except Exception as error:
            self._stop(error)
        finally:
            for item in left:
                item.drop()

    async def _take(self, item: JudgeItem, verdict: Verdict | NoVerdict) -> None:
        if isinstance(verdict, Verdict):
            await item.deliver(verdict)
        elif item.asked >= _MOST_ASKED:
            await item.deliver(Verdict(Judgement.NOT_JUDGED, reason=verdict.value, model=self._model_name))
        elif self.closed:
            item.drop()
        else:
            item.alone = verdict in _ONE_BAD_CASE
            self._trays[item.slot.category].again.append(item)

    def _stop(self, error: BaseException | None) -> None:
        if not self.closed:
            self.give_up()
            self._failed(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._calls.pop(task)[0].slot.category
        if self._trays[name].again:
            self._start(name, full=False)
        self._changed()


def _group(tray: _Tray, *, full: bool) -> list[JudgeItem]:
    """The next call's cases; none while there are not enough. Those that are asked about again come first."""
    if tray.again and tray.again[0].alone:
        return [tray.again.popleft()]
    group: list[JudgeItem] = []
    size = 0
    if full and len(tray.again) + len(tray.items) < CASES_A_CALL and _characters(tray) < _MOST_CHARACTERS:
        return group
    for queue in (tray.again, tray.items):
        while queue and len(group) < CASES_A_CALL and not queue[0].alone:
            size += queue[0].characters
            if group and size > _MOST_CHARACTERS:
                return group
            group.append(queue.popleft())
    return group


def _characters(tray: _Tray) -> int:
    return sum(item.characters for item in (*tray.again, *tray.items))
