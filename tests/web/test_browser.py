"""The page in a real Chromium: it loads from this machine alone, takes keys, runs the example, copies and pastes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.chromium import PROGRAM, BrowserPage, browser_page
from tests.support.web_tab import gone, served

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")]
PLACE = ("--checkpoint-dir", "s", "--provider", "offline")
PICTURES = Path(os.environ["WEB_PICTURES"]) if "WEB_PICTURES" in os.environ else None  # to look at
# The page's own terminal draws on a canvas; what it draws is heard on the socket, and made a screen of here.
HEAR = """
(() => {
  const Socket = window.WebSocket;
  window.heard = "";
  window.sockets = [];
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      window.sockets.push(this);
      const decoder = new TextDecoder();
      this.addEventListener("message", (event) => {
        if (typeof event.data !== "string") window.heard += decoder.decode(event.data, {stream: true});
      });
    }
  };
})()
"""


async def opened(page: BrowserPage, address: str) -> None:
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=HEAR)
    await page.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    await page.call("Page.navigate", url=address)
    await page.until("document.body?.classList.contains('-first-byte')")
    await page.until("window.heard.includes('There is no session yet')")


async def drawn(page: BrowserPage, text: str) -> None:
    await page.until(f"window.heard.includes({text!r})")


async def test_the_example_runs_in_a_real_browser(tmp_path: Path) -> None:
    pictures = PICTURES or tmp_path
    with served(*PLACE) as server:
        async with browser_page(tmp_path / "profile") as page:
            await opened(page, server.address)
            assert page.said == []
            assert {
                address.split("//")[1].split("/")[0] for address in page.asked if not address.startswith("data:")
            } == {server.origin.removeprefix("http://")}
            assert await page.value(
                "[...document.fonts].some(f => f.family.includes('Roboto Mono') && f.status === 'loaded')"
            )
            apps = server.apps()
            assert len(apps) == 1
            await page.picture(pictures / "home.png")
            await page.press("e")
            await drawn(page, "travel_assistant")
            await page.press("Enter")
            await drawn(page, "raise the limit")
            await page.press("Enter")
            await drawn(page, "⏎ approve")
            await page.press("Enter")
            await drawn(page, "Finished")
            await page.call("Page.bringToFront")
            for key, text in (("F5", "· Rejected"), ("Escape", "Conversation"), ("F2", "where it comes from")):
                await page.value("window.heard = ''")
                await page.press(key)  # F5: a browser would load the page again
                await drawn(page, text)
                await page.picture(pictures / f"{key}.png")
            await page.press("y")
            await page.until("navigator.clipboard.readText().then((text) => text.includes('\"inputs\"'))")
            await page.value("window.heard = ''")
            await page.press("Escape")
            await drawn(page, "Conversation")
            await page.press(*"grüße 日本")
            await drawn(page, "grüße 日本")
            await page.picture(pictures / "studio.png")
            assert server.apps() == apps
            await page.press("Control+q")
            await page.until("document.body.classList.contains('-closed')")
            await page.until("document.getElementById('last-words').textContent.includes('500 of 500 cases are saved')")
            await page.picture(pictures / "ended.png")
            assert await page.value("getComputedStyle(document.getElementById('ended')).display") == "flex"
            await gone(*apps)
            await page.value("document.getElementById('again').click()")
            await page.until("window.heard?.includes('customer_service_v1')")
        await gone(*server.apps())


async def test_what_was_copied_elsewhere_is_pasted(tmp_path: Path) -> None:
    with served(*PLACE) as server:
        async with browser_page(tmp_path / "profile") as page:
            await opened(page, server.address)
            await page.press("n")
            await drawn(page, "Say what you need")
            await page.call("Page.bringToFront")
            await page.value("navigator.clipboard.writeText('forty teapots')")
            await page.call(
                "Input.dispatchKeyEvent",
                type="rawKeyDown",
                key="v",
                code="KeyV",
                windowsVirtualKeyCode=86,
                modifiers=2,
                commands=["paste"],
            )
            await drawn(page, "forty teapots")


async def test_leaving_the_page_asks_and_ends_the_app(tmp_path: Path) -> None:
    with served(*PLACE) as server:
        async with browser_page(tmp_path / "profile") as page:
            await opened(page, server.address)
            apps = server.apps()
            await page.press("n")
            await drawn(page, "Say what you need")
            leaving = asyncio.create_task(page.call("Page.navigate", url="about:blank"))
            async with asyncio.timeout(60):
                while not page.dialogs:
                    await asyncio.sleep(0.05)
            assert page.dialogs == ["beforeunload"] and server.apps() == apps
            await page.call("Page.handleJavaScriptDialog", accept=True)
            await leaving
            await gone(*apps)
