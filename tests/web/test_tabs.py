"""Each tab has an app of its own, which is there as long as the tab, and leaves nothing unsaved and nobody behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from aiohttp import WSCloseCode

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.session import Session
from tests.support.process import command, read_until
from tests.support.web_tab import Served, WebTab, gone, is_alive, open_tab, served

PLACE = ("--checkpoint-dir", "s", "--provider", "offline")
NAME = "customer_service_v1"
LONG = ("--max-dataset-size", "50000", "toys")  # a run of these takes longer than what is tried meanwhile
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


async def begun(tab: WebTab) -> None:
    """A new session from the built-in example, running."""
    await tab.wait("There is no session yet")
    await tab.press("e")
    await tab.wait("travel_assistant")
    await tab.press("enter")
    await tab.wait("raise the limit")
    await tab.press("enter")
    await tab.wait("⏎ approve")
    await tab.press("enter")
    await tab.wait("running")


async def planned() -> None:
    """A session that has not begun yet."""
    plan = DatasetPlanInput(
        dataset_name="toys",
        categories=[
            DatasetCategory(
                name="orders", description="Questions about orders", count=50_000, example_inputs="Where is my order?"
            )
        ],
    )
    session = await Session.create(plan, DatasetBuilderConfig(checkpoint_dir="s", max_dataset_size=50_000))
    await session.aclose()


async def started(tab: WebTab) -> None:
    """The planned session, running, with cases accepted."""
    await tab.wait("^P start")
    await tab.press("ctrl+p")
    await tab.wait(lambda screen: accepted(screen) > 20)


def accepted(screen: str) -> int:
    found = re.search(r"([\d,]+)/50,000", screen)
    return int(found[1].replace(",", "")) if found else 0


def listed() -> dict[str, object]:
    (row,) = json.loads(command("sessions", "--json", *PLACE[:2], cwd=Path.cwd()).stdout)
    return dict(row)


async def app_of(server: Served) -> int:
    (pid,) = server.apps()
    return pid


async def test_the_example_runs_to_its_end_in_a_tab() -> None:
    with served(*PLACE) as server:
        async with open_tab(server) as tab:
            await begun(tab)
            await tab.wait("Finished: 500 cases")
            await tab.press("ctrl+q")
            assert f"{NAME}: 500 of 500 cases are saved." in await tab.finish()
        assert server.apps() == []
        assert listed()["accepted"] == 500 and listed()["state"] == "complete"


async def test_what_is_typed_and_pasted_arrives_whole() -> None:
    with served(*PLACE) as server:
        async with open_tab(server) as tab:
            await tab.wait("There is no session yet")
            await tab.press("n")
            await tab.wait("❯")
            await tab.press(*"grüße 日本 ")
            await tab.paste("of a shop\nfor toys")
            await tab.wait(lambda screen: "grüße 日本 of a shop" in screen and "for toys" in screen)


async def test_a_tab_has_the_size_of_its_window() -> None:
    with served(*PLACE) as server:
        async with open_tab(server, rows=24, columns=80) as tab:
            await tab.wait(lambda screen: "^Q quit" in screen.splitlines()[-1])
            tab.grid.resize(50, 200)
            await tab.say("resize", {"width": 200, "height": 50})
            await tab.wait(lambda screen: "^Q quit" in screen.splitlines()[-1])
            await tab.say("resize", {"width": 10**9, "height": -5})  # of no window
            await tab.say("blur")
            await tab.say("focus")
            await tab.say("ping", "17")
            tab.grid.resize(50, 200)
            await tab.say("resize", {"width": 200, "height": 50})
            await tab.wait(lambda screen: "^Q quit" in screen.splitlines()[-1])


async def test_closing_a_tab_saves_and_ends_its_app_alone() -> None:
    await planned()
    with served(*PLACE, *LONG) as server:
        async with open_tab(server) as tab:
            await started(tab)
            (app,) = server.apps()
            async with open_tab(server) as other:  # which asks for the same session
                await other.wait("watching")
                assert len(server.apps()) == 2
                await tab.socket.close()
                await gone(app)
                assert len(server.apps()) == 1
                row = listed()
                assert row["state"] == "paused" and int(str(row["accepted"])) > 20
                await other.wait("Paused at")
                await other.press("o")
                await other.wait(lambda screen: "watching" not in screen and "Paused at" in screen)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGTERM, signal.SIGHUP))]
)
async def test_the_server_ends_with_all_its_apps(number: signal.Signals) -> None:
    await planned()
    with served(*PLACE, *LONG) as server:
        async with open_tab(server) as tab:
            await started(tab)
            async with open_tab(server):  # has hardly begun
                async with asyncio.timeout(60):
                    while len(apps := server.apps()) < 2:
                        await asyncio.sleep(0.05)
                code, out, err = await asyncio.to_thread(server.stop, number)
                assert (code, err) == (0, "") and "Saving" in out
                assert not any(map(is_alive, apps))
            assert "of 50,000 cases are saved" in await tab.finish()
        row = listed()
        assert row["state"] == "paused" and int(str(row["accepted"])) > 20


async def test_told_twice_the_server_waits_for_no_app() -> None:
    with served(*PLACE) as server:
        async with open_tab(server) as tab:
            await tab.wait("There is no session yet")
            (app,) = server.apps()
            os.kill(app, signal.SIGSTOP)  # it can save nothing
            server.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(read_until, server.process, "Saving")
            assert is_alive(app)
            code, _, err = await asyncio.to_thread(server.stop)
            assert (code, err) == (0, "") and not is_alive(app)


async def test_an_app_outlives_no_server() -> None:
    await planned()
    with served(*PLACE, *LONG) as server:
        async with open_tab(server) as tab:
            await started(tab)
            apps = server.apps()
            server.process.kill()
            await gone(*apps)
        row = listed()
        assert row["state"] == "paused" and int(str(row["accepted"])) > 20


async def test_an_app_that_is_killed_closes_its_tab() -> None:
    with served(*PLACE) as server:
        async with open_tab(server) as tab:
            await tab.wait("There is no session yet")
            os.kill(await app_of(server), signal.SIGKILL)
            await tab.finish()
        async with open_tab(server) as tab:
            await tab.wait("There is no session yet")


async def test_an_app_that_cannot_begin_says_why() -> None:
    with served(*PLACE) as server:
        Path("dsbuilder.toml").write_text("nothing = [")
        async with open_tab(server) as tab:
            assert "dsbuilder.toml" in await tab.finish()


async def test_a_message_of_no_terminal_closes_the_tab() -> None:
    with served(*PLACE) as server:
        for text in ("", "{}", "[]", '["stdin"]', '["stdin", 7]', '["resize", {"width": "x"}]', "[" * 100_000, b"\x00"):
            async with open_tab(server) as tab:
                await (tab.socket.send_str(text) if isinstance(text, str) else tab.socket.send_bytes(text))
                await tab.finish()
                assert tab.socket.close_code == WSCloseCode.UNSUPPORTED_DATA, text
        assert server.process.poll() is None


async def test_half_a_character_ends_nothing() -> None:
    with served(*PLACE) as server:
        async with open_tab(server) as tab:
            await tab.wait("There is no session yet")
            await tab.socket.send_str('["stdin", "\\ud800"]')
            await tab.press("e")
            await tab.wait("travel_assistant")


async def test_the_flags_of_the_app_reach_each_tab() -> None:
    await planned()
    flags = ("--seed", "7", "--no-parallel", "--set", "theme=light", "--budget", "off", *LONG)
    with served(*PLACE, *flags) as server:
        async with open_tab(server) as tab:
            await tab.wait("^P start")
            (app,) = server.apps()
            given = Path(f"/proc/{app}/cmdline").read_bytes().split(b"\0")
            assert {b"--set=seed=7", b"--set=theme=light", b"--set=enable_parallel_generation=False"} <= set(given)
            token = server.address.rstrip("/").rpartition("/")[2].encode()
            assert token not in Path(f"/proc/{app}/environ").read_bytes() + b"".join(given)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--port", "x"),
        ("--port", "70000"),
        ("--port", "-1"),
        ("--set", "nothing=1"),
        ("--batch-size", "-1"),
        ("--host", "no.such.host.invalid"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(wrong: tuple[str, str]) -> None:
    done = command("serve", *wrong, cwd=Path.cwd())
    assert done.returncode == 2 and done.stdout == "" and wrong[1].partition("=")[0] in done.stderr, done.stderr


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = command("serve", "--port", port, cwd=Path.cwd())
    assert done.returncode == 2 and f"Port {port} of 127.0.0.1 cannot be had" in done.stderr, done.stderr


def test_another_host_comes_with_a_warning() -> None:
    with served("--host", "0.0.0.0", *PLACE) as server:
        assert server.address.startswith("http://127.0.0.1:")
        _, _, err = server.stop()
        assert err.startswith("dsbuilder: warning: other machines can reach 0.0.0.0") and err.count("\n") == 1
    with served(*PLACE) as server:
        assert server.stop()[2] == ""
