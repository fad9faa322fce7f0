"""A pass whose vectors come from an endpoint: a real server, its troubles, and not waiting for it any longer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.dedup import DedupReport, dedup_pass, deduplicate
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class Server(ThreadingHTTPServer):
    """Vectors of three numbers: texts with the same first letter have the same."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[list[str]] = []
        self.statuses: list[int] = []
        self.hangs = threading.Event()
        self.waiting = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        self.server.asked.append(texts)
        if self.server.hangs.is_set() and len(self.server.asked) > 1:
            self.server.waiting.set()
            threading.Event().wait(60)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        vectors = [[float(text[0] == letter) for letter in "xy"] + [0.1] for text in texts]
        data = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
        body = json.dumps({"data": data} if status == 200 else {"error": {"message": "no"}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@pytest.fixture
def ask(server: Server) -> Callable[..., DedupReport]:
    texts = ["xylophones are fun", "xenon is a gas", "yellow is a colour", "zebras run", "yes to everything"]
    Path("data.jsonl").write_text("".join(json.dumps({"inputs": text}) + "\n" for text in texts))

    def ask(**more: Any) -> DedupReport:
        config = DatasetBuilderConfig(
            base_url=f"http://127.0.0.1:{server.server_port}/v1", embedding_model="vectors", **more.pop("settings", {})
        )
        return deduplicate("data.jsonl", out="kept.jsonl", config=config, **more)

    return ask


def test_vectors_of_an_endpoint_decide(server: Server, ask: Callable[..., DedupReport]) -> None:
    report = ask()
    assert report.dropped == {"semantic": 2} and report.rules["semantic"] == 0.95
    assert [pair.line for pair in report.first_dropped] == [2, 5]
    assert len(server.asked) == 2 and len(server.asked[1]) == 5  # how long a vector is, then the batch


def test_an_endpoint_in_trouble_is_asked_again(server: Server, ask: Callable[..., DedupReport]) -> None:
    server.statuses = [200, 503]
    told: list[str] = []
    assert ask(tell=told.append).repeats == 2
    assert len(told) == 1 and "next try" in told[0]


def test_an_endpoint_that_refuses_or_stays_away(server: Server, ask: Callable[..., DedupReport]) -> None:
    server.statuses = [401]
    with pytest.raises(EndpointRefused):
        ask()
    server.statuses = [200, 500, 500]
    with pytest.raises(EndpointUnavailable, match=r"kept failing.*No file was written"):
        ask(settings={"max_retries": 1})
    assert [path.name for path in Path().iterdir()] == ["data.jsonl"]


def test_nobody_waits_for_an_answer_after_an_interrupt(
    server: Server, ask: Callable[..., DedupReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Any, *given: Any) -> None:
        assert server.waiting.wait(30)
        raise KeyboardInterrupt

    server.hangs.set()
    monkeypatch.setattr(dedup_pass._Run, "_settle", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask()
    assert [path.name for path in Path().iterdir()] == ["data.jsonl"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dsbuilder-compare")]
