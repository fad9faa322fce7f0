"""Who is let in: by the token of the address, the host that is asked, and the page that asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from dsbuilder_tui.web.gatekeeper import Gatekeeper, is_loopback
from dsbuilder_tui.web.page_files import page_files
from dsbuilder_tui.web.server import WebServer
from tests.support.process import ROOT

PAGES = ("", "page.js", "page.css", "textual.js", "xterm.css", "upright.ttf", "italic.ttf")


class Site:
    """The server in this process; the app behind it is a command that ends at once."""

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.token = address.rstrip("/").rpartition("/")[2]

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, allow_redirects=False) as answer,
        ):
            assert "no-referrer" in answer.headers.get("Referrer-Policy", "")
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            return answer.status, (await answer.read()).decode("utf-8", "replace")

    async def connect(self, path: str, **headers: str) -> int:
        """The status that an upgrade to a websocket gets; 101 is one that is let in."""
        async with aiohttp.ClientSession() as client:
            try:
                async with client.ws_connect(f"http://127.0.0.1:{self.port}{path}", headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    server = WebServer(["--version"])
    async with server.listening(0) as port:
        yield Site(server.address(port), port)


def sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.rstrip("\n").endswith(".") and text[0].isupper()


@pytest.mark.parametrize("name", PAGES)
async def test_a_file_is_given_with_the_token_alone(site: Site, name: str) -> None:
    status, text = await site.get(f"/{site.token}/{name}")
    assert status == 200 and len(text) > 500
    for token in (
        "",
        "x",
        site.token[:-1],
        site.token + "x",
        site.token.upper(),
        "%C3%A4" * 16,
        "%00",
        site.token[::-1],
    ):
        status, text = await site.get(f"/{token}/{name}")
        assert status == 403 and sentence(text), (token, text)
    for path in ("/", f"/{name}", f"/static/{name}", f"/?token={site.token}", "/download/key", "/ws"):
        assert (await site.get(path))[0] == 403


async def test_there_is_nothing_but_the_page(site: Site) -> None:
    for path in (
        "download/key",
        "static/",
        "page.html",
        "../server.py",
        "%2e%2e/server.py",
        "..%2fserver.py",
        "files/x",
    ):
        status, _ = await site.get(f"/{site.token}/{path}")
        assert status in (403, 404), path
    assert await site.get(f"/{site.token}") == (302, "302: Found")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost", 200), ("LOCALHOST:9000", 200), ("[::1]:8000", 200), ("127.0.0.1:1", 200),
        ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example:8000", 403), ("10.0.0.1", 403),
        ("evil@127.0.0.1", 403), ("127.0.0.1:x", 403), ("[::1", 403), ("127.0.0.1/x", 403), ("localhost:99999", 403), ("0x7f.1", 403),
    ],
)  # fmt: skip
async def test_a_name_that_leads_here_is_not_ours(site: Site, host: str, status: int) -> None:
    assert (await site.get(f"/{site.token}/", Host=host))[0] == status
    origin = f"http://{host}"
    assert await site.connect(f"/{site.token}/ws", Host=host, Origin=origin) == (101 if status == 200 else 403)


async def test_another_page_opens_no_socket(site: Site) -> None:
    ours = f"http://127.0.0.1:{site.port}"
    assert await site.connect(f"/{site.token}/ws", Origin=ours) == 101
    assert await site.connect(f"/{site.token}/ws") == 403
    for origin in ("http://evil.example", "null", "", f"https://127.0.0.1:{site.port}", "http://127.0.0.1",
                   f"http://localhost:{site.port}", f"{ours}.evil.example", f"{ours}/", "http://127.0.0.1:1"):  # fmt: skip
        assert await site.connect(f"/{site.token}/ws", Origin=origin) == 403, origin
        assert (await site.get(f"/{site.token}/", Origin=origin))[0] == 403, origin
    for token in ("", "x", site.token[:-1]):
        assert await site.connect(f"/{token}/ws", Origin=ours) == 403
    assert await site.connect("/ws", Origin=ours) == 403


def test_each_server_has_a_token_of_its_own_that_is_not_shown() -> None:
    tokens = {Gatekeeper("127.0.0.1").token for _ in range(20)}
    assert len(tokens) == 20 and all(re.fullmatch(r"[\w-]{32}", token) for token in tokens)
    keeper = Gatekeeper("127.0.0.1")
    assert keeper.token not in repr(keeper)


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.3.4.5", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.0.7", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_what_other_machines_cannot_reach(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_at_an_open_host_numbers_and_its_own_name_are_answered_to() -> None:
    keeper = Gatekeeper("studio.lan")
    for host, let_in in (
        ("192.168.0.7:8000", True),
        ("studio.lan:8000", True),
        ("localhost:8000", True),
        ("evil.example", False),
    ):
        assert (keeper.refusal(f"/{keeper.token}/", host, None) is None) is let_in, host


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    for name in ("", "page.css", "page.js"):
        text = page_files()[name].read_text(encoding="utf-8")
        assert "://" not in text and not re.search(r"(src|href)=\"/", text)
    assert not re.search(r"@import|url\(", page_files()["xterm.css"].read_text(encoding="utf-8"))


def test_without_the_extra_a_sentence_says_how_to_get_it() -> None:
    code = (
        "import sys,importlib.util as u;f=u.find_spec;u.find_spec=lambda n,*a:None if n=='textual_serve' else f(n,*a);"
        "from dsbuilder_tui.cli.main import main;sys.exit(main(['serve']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "dsbuilder: The page in the browser needs one more package. Install it: pip install 'dsbuilder-tui[web]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
