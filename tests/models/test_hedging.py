"""Calls that hang: given up by what is usual, asked a second time where that is free. In simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize
from dsbuilder_tui.models.hedging import StragglerWatch, hedges, is_local
from dsbuilder_tui.models.protocol import StreamEnd, TransientError
from dsbuilder_tui.models.usual_silence import UsualSilence
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.support.virtual_time import VirtualClock, VirtualLoop, run_virtually

Script = list[float | str | Exception]  # silences in seconds, words, or what it fails with
GOOD: Script = [0.2, "a", 0.1, "b"]
FOR_EVER = 1e6


class ScriptedModel:
    """Plays one script a call, in the order of the calls; then all is well."""

    name, provider, ordered = "scripted", "scripted", False

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.calls = self.open = 0

    def check(self, plan: Any) -> list[Any]:
        return []

    async def close(self) -> None: ...

    async def stream(self, request: Any) -> AsyncGenerator[Any, None]:
        self.calls += 1
        self.open += 1
        try:
            for step in self.scripts.pop(0) if self.scripts else GOOD:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, str):
                    yield step
                else:
                    await asyncio.sleep(step)
            yield StreamEnd("stop", Usage(1, 1, True))
        finally:
            self.open -= 1


class Bench:
    """A watch that has seen so many good answers, and what calls through it came to."""

    def __init__(self, model: ScriptedModel, *, hedging: bool, seen: int = 30, places: int = 8) -> None:
        self.loop = VirtualLoop()
        self.model, self.seen, self.silences = model, seen, list[float]()
        self.limit = AdaptiveConcurrency(places, VirtualClock(self.loop), lambda *_: None)
        self.watch = StragglerWatch(model, self.limit, 120.0, hedging=hedging)

    async def call(self) -> str:
        permit = await self.limit.acquire(CallSize())
        said = ""
        try:
            async with aclosing(self.watch.stream(None, permit, self.silences.append)) as stream:  # type: ignore[arg-type]
                async for piece in stream:
                    said += piece if isinstance(piece, str) else "."
            self.limit.succeeded(permit, Usage())
            return said
        finally:
            self.limit.release(permit)

    async def warm_up(self) -> None:
        scripts, self.model.scripts = self.model.scripts, []
        for _ in range(self.seen):
            assert await self.call() == "ab."
        self.model.scripts, self.model.calls = scripts, 0

    def run(self, *work: Callable[[], Any]) -> tuple[list[Any], float]:
        """What came of it, in the order given, and the simulated seconds it took."""

        async def all_of_it() -> tuple[list[Any], float]:
            await self.warm_up()
            began, results = self.loop.time(), []
            for one in work:
                try:
                    results.append(await one())
                except TransientError as error:
                    results.append(error)
            assert self.model.open == 0, "every stream is closed"
            assert self.limit.try_acquire(CallSize()) is not None
            return results, self.loop.time() - began

        return run_virtually(all_of_it(), self.loop)


def test_a_hang_is_given_up_by_what_is_usual_here() -> None:
    bench = Bench(ScriptedModel([FOR_EVER]), hedging=False)
    (error,), seconds = bench.run(bench.call)
    assert isinstance(error, TransientError) and error.kind is FailureKind.TIMEOUT and "0.2 s are usual" in error.detail
    assert 2.5 <= seconds <= 4 and not bench.silences and bench.model.calls == 1


def test_a_hang_in_the_middle_is_given_up_too() -> None:
    bench = Bench(ScriptedModel([0.2, "a", FOR_EVER, "b"]), hedging=True)
    (error,), seconds = bench.run(bench.call)
    assert isinstance(error, TransientError) and seconds <= 4 and not bench.silences


def test_before_anything_is_known_the_setting_counts() -> None:
    bench = Bench(ScriptedModel([FOR_EVER]), hedging=True, seen=0)
    (error,), seconds = bench.run(bench.call)
    assert isinstance(error, TransientError) and 119 <= seconds <= 121


def test_a_slow_endpoint_gets_the_time_it_usually_takes() -> None:
    slow: Script = [40.0, "a", 9.0, "b"]
    bench = Bench(ScriptedModel(*[slow] * 30, [100.0, "a", 30.0, "b"]), hedging=False, seen=0)
    results, _ = bench.run(*[bench.call] * 31)
    assert results == ["ab."] * 31


def test_an_endpoint_that_becomes_slow_is_not_given_up_for_ever() -> None:
    bench = Bench(ScriptedModel(*[[8.0, "a", 0.1, "b"]] * 40), hedging=False)
    results, _ = bench.run(*[bench.call] * 40)
    assert sum(isinstance(one, TransientError) for one in results) <= 3
    assert results[-20:] == ["ab."] * 20


def test_a_straggler_is_asked_a_second_time_and_the_first_answer_counts() -> None:
    bench = Bench(ScriptedModel([FOR_EVER], GOOD), hedging=True)
    (said,), seconds = bench.run(bench.call)
    assert said == "ab." and seconds <= 1.5
    assert bench.model.calls == 2 and len(bench.silences) == 1 and 0.5 <= bench.silences[0] <= 0.9


def test_the_first_call_counts_when_it_begins_first_after_all() -> None:
    bench = Bench(ScriptedModel([0.9, "first", 0.1, "b"], [5.0, "second"]), hedging=True)
    (said,), _ = bench.run(bench.call)
    assert said == "firstb." and bench.model.calls == 2


def test_a_second_call_that_fails_leaves_the_first() -> None:
    broken = TransientError(FailureKind.SERVER, "500")
    bench = Bench(ScriptedModel([1.5, "a", 0.1, "b"], [0.1, broken]), hedging=True)
    (said,), _ = bench.run(bench.call)
    assert said == "ab."


def test_where_both_hang_it_is_given_up() -> None:
    bench = Bench(ScriptedModel([FOR_EVER], [FOR_EVER]), hedging=True)
    (error,), seconds = bench.run(bench.call)
    assert isinstance(error, TransientError) and seconds <= 4


def test_no_second_call_without_a_place_and_not_for_every_call() -> None:
    bench = Bench(ScriptedModel([FOR_EVER]), hedging=True, places=1)
    (error,), _ = bench.run(bench.call)
    assert isinstance(error, TransientError) and not bench.silences
    bench = Bench(ScriptedModel(*[[1.9, "a", 0.1, "b"]] * 100), hedging=True)
    bench.run(*[bench.call] * 50)
    assert len(bench.silences) <= 2 + 0.1 * 80


def test_who_is_cut_off_from_outside_ends() -> None:
    bench = Bench(ScriptedModel([FOR_EVER], [FOR_EVER]), hedging=True)

    async def cut() -> str:
        task = asyncio.create_task(bench.call())
        await asyncio.sleep(1.0)  # a second call is under way
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return "cancelled" if task.cancelled() else "not"

    results, _ = bench.run(cut)
    assert results == ["cancelled"]


def test_time_in_which_nobody_reads_is_no_silence() -> None:
    bench = Bench(ScriptedModel([0.2, "a", 0.1, "b"]), hedging=True)

    async def slow_reader() -> str:
        permit, said = await bench.limit.acquire(CallSize()), ""
        async with aclosing(bench.watch.stream(None, permit, bench.silences.append)) as stream:  # type: ignore[arg-type]
            async for piece in stream:
                said += piece if isinstance(piece, str) else "."
                await asyncio.sleep(600)
        bench.limit.release(permit)
        return said

    results, _ = bench.run(slow_reader)
    assert results == ["ab."] and not bench.silences


def test_slack_is_regained() -> None:
    silence = UsualSilence(120.0)
    for _ in range(30):
        silence.began(0.2)
    short = silence.patience_before
    for _ in range(10):
        silence.gave_up(short, begun=False)
    assert silence.patience_before > 4 * short
    for _ in range(300):
        silence.began(0.2)
    assert silence.patience_before == short


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:8000/v1", True), ("http://localhost:11434/v1", True), ("http://[::1]:1/v1", True),
     ("http://192.168.1.7/v1", True), ("http://gpu-box/v1", True), ("http://gpu.local:8000/v1", True),
     ("https://api.openai.com/v1", False), ("https://8.8.8.8/v1", False), ("https://my.azure.com/openai/v1", False)],
)  # fmt: skip
def test_what_is_local(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_where_it_is_billed_nothing_is_asked_twice_unless_told_to(
    make_config: Callable[..., DatasetBuilderConfig],
) -> None:
    remote = {"base_url": "https://api.example.com/v1", "api_key": "sk-x", "worker_model": "m"}
    assert not hedges(make_config(**remote)) and hedges(make_config(**remote, hedging="on"))
    assert hedges(make_config(**remote, prices={"m": {"input": 0, "output": 0}}))
    local = {"base_url": "http://127.0.0.1:1/v1", "worker_model": "m"}
    assert hedges(make_config(**local)) and not hedges(make_config(**local, hedging="off"))
    assert not hedges(make_config())
