"""Runs with a judge at the fake endpoint: how they are set up, and what is heard of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.events import Event
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]


def judging(make_config: Configs, fake: FakeOpenAI, mode: str, retries: int) -> Configs:
    """Settings for a run that is judged in this mode; more can be given, or others."""
    base = {
        "base_url": fake.url, "api_key": "k", "judge": mode, "batch_size": 10, "max_workers": 4, "max_retries": retries,
    }  # fmt: skip
    return lambda **settings: make_config(**{**base, **settings})


async def run_and_hear(session: Session) -> tuple[Any, list[Event]]:
    """The result of a run, and the events of it."""
    seen: list[Event] = []
    stop = session.subscribe(seen.append)
    result = await session.run()
    stop()
    return result, seen
