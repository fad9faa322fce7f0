"""The app looks for model servers on this machine; in tests it finds only those that the test has started."""

from __future__ import annotations

import functools

import pytest

from dsbuilder_tui.models.local_servers import find_local_endpoints
from dsbuilder_tui.tui.home import screen as home


@pytest.fixture(autouse=True)
def local_servers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Ports that are looked at, with whose they are; empty unless the test adds one."""
    servers: list[tuple[str, int]] = []
    monkeypatch.setattr(home, "find_local_endpoints", functools.partial(find_local_endpoints, 5.0, servers=servers))
    return servers
