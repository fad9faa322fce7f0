"""The session that damage is done to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crash.damage import Made, build

CASES = 60


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A session to copy from, closed or in the middle of its run; made once."""
    found: dict[bool, Path] = {}

    def make(running: bool) -> Path:
        if running not in found:
            found[running] = asyncio.run(build(tmp_path_factory.mktemp("made"), CASES, running=running))
        return found[running]

    return make
