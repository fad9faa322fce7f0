"""The pace of the built-in writer: evenly, over all streams, changed while it runs. Time is a number here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.models.protocol import SlotRequest, StreamEnd, WorkerRequest
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter
from dsbuilder_tui.offline.writer.pacer import Pacer


class Time:
    """A clock that only sleeping moves on, each time by ``late`` more than asked for."""

    def __init__(self, late: float = 0.0) -> None:
        self.t, self.late, self.naps = 1000.0, late, 0
        self.plans: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.t

    def monotonic(self) -> float:
        return self.t

    def at(self, second: float, act: Callable[[], None]) -> None:
        self.plans.append((1000.0 + second, act))

    async def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 0.1  # a change of the pace is seen within that
        self.naps += 1
        self.t += seconds + self.late
        for plan in [plan for plan in self.plans if plan[0] <= self.t]:
            self.plans.remove(plan)
            plan[1]()
        await asyncio.sleep(0)


def request(first: int, count: int) -> WorkerRequest:
    category = DatasetCategory(name="c", count=40, example_inputs="Where is my order #12345?")
    plan = DatasetPlanInput(dataset_name="d", categories=[category])
    slots = tuple(SlotRequest(Slot("c", n, {"tone": "polite"}), 0) for n in range(first, first + count))
    return WorkerRequest(
        plan=plan, category=category, slots=slots, seed=7, system="", prompt="", schema=None, max_tokens=100
    )


async def written(writer: OfflineWriter, time: Time, streams: int, count: int) -> tuple[list[str], list[float]]:
    """The texts of some streams, and when each case was yielded, in seconds from the start."""
    times: list[float] = []

    async def one(first: int) -> str:
        text = ""
        async with aclosing(writer.stream(request(first, count))) as stream:  # type: ignore[type-var]
            async for piece in stream:
                if isinstance(piece, StreamEnd):
                    continue
                text += piece
                if '{"slot"' in piece:
                    times.append(round(time.t - 1000.0, 6))
        return text

    return list(await asyncio.gather(*(one(1 + number * count) for number in range(streams)))), times


@pytest.mark.parametrize("streams", [1, 4])
async def test_cases_come_evenly_over_all_streams(streams: int) -> None:
    time = Time()
    writer = OfflineWriter(pace=4, clock=time, sleep=time.sleep)
    _, times = await written(writer, time, streams, 12 // streams)
    assert times == pytest.approx([number / 4 for number in range(12)])


async def test_the_pace_changes_no_text() -> None:
    time = Time()
    paced, times = await written(OfflineWriter(pace=3, clock=time, sleep=time.sleep), time, 3, 5)
    free, at_once = await written(OfflineWriter(clock=time, sleep=time.sleep), time, 3, 5)
    assert paced == free
    assert len(times) == 15 and len(set(at_once)) == 1


async def test_no_limit_never_sleeps() -> None:
    time = Time()
    await written(OfflineWriter(clock=time, sleep=time.sleep), time, 2, 5)
    assert time.naps == 0


async def test_coarse_timers_do_not_slow_it_down() -> None:
    time = Time(late=0.004)
    _, times = await written(OfflineWriter(pace=100, clock=time, sleep=time.sleep), time, 2, 15)
    assert times[-1] == pytest.approx(0.29, abs=0.005)
    assert all(at >= number / 100 - 1e-6 for number, at in enumerate(times))  # never ahead of the pace


async def test_what_was_not_asked_for_is_not_made_up_for() -> None:
    time = Time()
    pacer = Pacer(10, time, time.sleep)
    await pacer.turn()
    time.t += 60  # nobody asks for a minute
    times = []
    for _ in range(4):
        await pacer.turn()
        times.append(time.t - 1060)
    assert times == pytest.approx([0, 0.1, 0.2, 0.3])


async def test_a_change_reaches_those_who_wait() -> None:
    time = Time()
    writer = OfflineWriter(pace=0.01, clock=time, sleep=time.sleep)  # a case every 100 seconds
    time.at(1, lambda: setattr(writer, "pace", 10))
    time.at(1.5, lambda: setattr(writer, "pace", 1))
    time.at(4, lambda: setattr(writer, "pace", 0))
    _, times = await written(writer, time, 4, 3)
    assert times[0] == 0
    assert 1 <= times[1] <= 1.1 + 1e-6
    faster = [at for at in times if 1 <= at < 1.5]
    assert 4 <= len(faster) <= 6
    slower = [at for at in times if 1.5 <= at < 4]
    assert len(slower) in (2, 3)
    assert all(4 <= at <= 4.1 + 1e-6 for at in times if at >= 4) and len(times) == 12


async def test_who_is_cancelled_uses_no_turn() -> None:
    time, asleep, wake = Time(), asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await wake.wait()
        await time.sleep(seconds)

    pacer = Pacer(1, time, sleep)
    await pacer.turn()
    first, queued, last = (asyncio.create_task(pacer.turn()) for _ in range(3))
    await asleep.wait()
    for task in (first, queued):  # one that sleeps, one that queues behind it
        task.cancel()
    await asyncio.gather(first, queued, return_exceptions=True)
    assert first.cancelled() and queued.cancelled()
    wake.set()
    await last
    assert time.t == pytest.approx(1001)


@pytest.mark.parametrize("pace", [-1, float("inf"), float("nan")])
def test_what_is_no_pace(pace: float) -> None:
    writer = OfflineWriter(pace=5)
    with pytest.raises(InputError, match="from 0"):
        writer.pace = pace
    assert writer.pace == 5


def test_the_setting_reaches_the_writer() -> None:
    writer = worker_model(DatasetBuilderConfig(offline_pace=2.5))
    assert isinstance(writer, OfflineWriter) and writer.pace == 2.5


async def test_a_paced_run_can_be_paused(
    make_plan: Callable[..., DatasetPlanInput], make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    """With a case an hour, the pause comes from dropping the streams that wait."""
    config = make_config(offline_pace=1 / 3600, drain_timeout=0, batch_size=5, max_workers=3)
    async with await Session.create(make_plan(30), config) as session:
        events = session.events()
        run = asyncio.create_task(session.run())
        async for event in events:
            if event.type == "case_accepted":
                break
        await session.pause(Pause("enough"))
        assert (await run).accepted == 1


async def test_the_stream_that_began_first_gets_most_turns_and_all_move() -> None:
    """What is let in comes batch by batch: written evenly over all, nothing would be let in for long, and then all at once."""
    time = Time()
    pacer, given = Pacer(10, time, time.sleep), []

    async def stream(number: int) -> None:
        for _ in range(12):
            await pacer.turn(number)
            given.append(number)

    await asyncio.gather(*(stream(number) for number in range(4)))
    assert given.index(0) == 0 and [given[:16].count(number) for number in range(4)] == [12, 2, 1, 1]
    assert time.t - 1000 == pytest.approx(4.7)
    ends = [47 - given[::-1].index(number) for number in range(4)]
    assert ends == sorted(ends)
