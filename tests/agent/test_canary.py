"""The key appears nowhere: not on disk, not on the screen, not in what is printed or logged, whoever repeats it."""

from __future__ import annotations

import base64
import gc
import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as parquet
import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent.turn_events import TextDelta, TurnEvent
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.models.redaction import StreamRedactor
from tests.support import fake_agent as model
from tests.support.fake_agent import Scripted
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command, fake_endpoint
from tests.support.studio import studio
from tests.support.talking import SUPPORT, talking, texts, tools_used, troubles

Configs = Callable[..., DatasetBuilderConfig]
KEY = 'sk-canary-Zk3/p+q=r&s%t"u\\v~canary-9'
B64 = base64.b64encode(KEY.encode()).decode()
FORMS = (KEY, quote(KEY), quote(KEY, safe=""), B64, repr(KEY)[1:-1])


def parts_of_base64(text: str) -> Iterable[str]:
    """What of a text shows in base64, wherever in a longer text it stands."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        yield whole[4:-4]


NEEDLES = tuple(needle.encode() for needle in ("canary", *parts_of_base64("sk-canary-Zk3")))


def clean(what: str, data: bytes | str) -> None:
    raw = data.encode(errors="surrogatepass") if isinstance(data, str) else data
    for needle in NEEDLES:
        at = raw.lower().find(needle) if needle == b"canary" else raw.find(needle)
        assert at < 0, f"{what}: {raw[max(0, at - 80) : at + 80]!r}"


def clean_folder(folder: Path) -> list[str]:
    """Search every file below; returns their names."""
    names = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        names.append(path.name)
        clean(str(path), str(path.relative_to(folder)))
        clean(str(path), path.read_bytes())
        if path.suffix == ".parquet":  # compressed
            clean(str(path), str(parquet.read_table(path).to_pylist()))
    return names


def test_the_search_finds_a_key() -> None:
    for form in (*FORMS, f"Bearer {KEY}"):
        for text in (form, base64.b64encode(form.encode()).decode(), f"xx{form}xx"):
            if form in (B64,) and text != form:
                continue
            with pytest.raises(AssertionError):
                clean("a text", text)


def repeated() -> list[Scripted]:
    """Turns of a model and a server that repeat the key in every way; each ends a turn of the talk."""
    return [
        model.status(401, "Incorrect API key provided", "invalid_api_key", echo_key=True),
        model.status(500, "Proxy error", echo_key=True),
        model.status(429, "Too fast", retry_after="0.01", echo_key=True),
        model.status(400, "Bad header", echo_key=True),
        model.error_mid("So far so good. ", f"upstream refused Bearer {KEY} ({quote(KEY, safe='')})"),
        *(model.says(f"Your key is {form}, and that is it.", chunk=size) for form in FORMS for size in (1, 7, 500)),
        model.reset_mid(f"Your key is {KEY}"),
        model.refusal(f"I will not use {KEY}."),
        model.filtered(f"{KEY} is"),
    ]


async def test_what_the_session_keeps_and_the_engine_logs(
    fake: FakeOpenAI, make_config: Configs, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    config = make_config(
        base_url=fake.url, api_key=KEY, model="gpt-4o", worker_model="gpt-4o-mini", max_retries=0, max_workers=1
    )
    clean("the configuration", repr(config) + str(config) + config.model_dump_json())
    seen: list[TurnEvent] = []
    async with talking(config) as talk:
        talk.session.subscribe(lambda event: clean("an event", repr(event)))
        for turn in repeated():
            fake.agent_script[:] = [turn]
            seen += [part async for part in talk.conversation.say("Hello")]
        assert "[hidden]" in troubles(seen) and "[hidden]" in "".join(texts(seen))
        fake.agent_script[:] = [
            model.calls(("save_checkpoint", {"name": f"cp {KEY}"}), (KEY, {}), chunk=3), model.says("Saved."),
        ]  # fmt: skip
        seen += [part async for part in talk.conversation.say("Save it")]
        fake.agent_script[:] = [
            model.calls(("propose_plan", {**SUPPORT, "description": f"For {KEY}"}), text=f"Here, {KEY}."),
        ]  # fmt: skip
        seen += [part async for part in talk.conversation.say("12 cases")]
        fake.script = ["unauthorized"]
        fake.agent_script[:] = [model.calls(("preview_cases", {"category": "refunds", "count": 1})), model.says("No.")]
        seen += [part async for part in talk.conversation.say("yes")]
        assert [used.ok for used in tools_used(seen)][-2:] == [True, False]
        fake.script = ["unauthorized"]
        with pytest.raises(DsbuilderError) as refused:
            await talk.session.run()
        clean("the error", str(refused.value) + repr(refused.value))
        fake.script = ["error_mid"]
        talk.host.start()
        await talk.host.wait()
        for form in ("jsonl", "json", "csv", "parquet", "checkpoint"):
            await talk.session.export(tmp_path / "exports" / f"out_{form}.{form}", form)
        clean("the conversation", repr(await talk.session.chat.messages()))
        clean("what is remembered", repr(await talk.session.agent_memory.items()))
    clean("the stream", "".join(part.text if isinstance(part, TextDelta) else f"\n{part}\n" for part in seen))
    names = clean_folder(tmp_path)
    assert "session.db" in names and len([name for name in names if name.startswith("out_")]) == 5
    gc.collect()  # what nobody waited for is logged at its end
    assert caplog.records
    formatter = logging.Formatter()
    for record in caplog.records:
        clean(f"the log of {record.name}", formatter.format(record))
    clean("what was printed", "".join(capfd.readouterr()))
    assert all(headers["authorization"] == f"Bearer {KEY}" for headers in fake.headers)


async def test_what_the_person_types_of_it_is_kept_and_sent_nowhere(
    fake: FakeOpenAI, make_config: Configs, tmp_path: Path
) -> None:
    config = make_config(base_url=fake.url, api_key=KEY, model="gpt-4o", max_retries=0)
    fake.agent_script[:] = [model.says("I see."), model.calls(("propose_plan", SUPPORT)), model.says("As you like.")]
    async with talking(config) as talk:
        await talk.session.chat.save_draft(f"my key is {KEY}")
        await talk.say(f"my key is {KEY}, or {quote(KEY, safe='')}", {1: f"export OPENAI_API_KEY={KEY}"})
        await talk.say("12 cases")
        await talk.answer(False, f"no, use {KEY}")
        assert "[hidden]" in (await talk.session.chat.messages())[0].text and "[hidden]" in talk.session.chat.draft
    for body in fake.agent_bodies:
        clean("a request", json.dumps(body))
    clean_folder(tmp_path)


@pytest.mark.parametrize("display", ["--json", "--plain"])
def test_what_the_command_prints_and_leaves_behind(tmp_path: Path, display: str) -> None:
    """Each run may end well or badly; the log folder lies in the home folder, and so does a report of a crash."""
    with fake_endpoint() as server:
        env = {"OPENAI_API_KEY": KEY, "DSBUILDER_BASE_URL": server.url, "DSBUILDER_MODEL": "gpt-4o"}
        env |= {"DSBUILDER_MAX_RETRIES": "0", "DSBUILDER_CHECKPOINT_DIR": str(tmp_path / "checkpoints")}
        proposes = model.calls(("propose_plan", SUPPORT), text=f"With {KEY}:")
        begins = model.calls(("start_generation", {}), text=f"{KEY}!")
        for script, workers, code in (
            ([model.status(401, "Incorrect API key", "invalid_api_key", echo_key=True)], [], 5),
            ([model.error_mid("So. ", f"Bearer {KEY}")], [], 4),
            ([proposes, begins, model.says("Go.")], ["unauthorized"], 5),
            ([proposes, begins, model.says("Go.")], [], 0),
        ):
            server.agent_script[:], server.script[:] = script, workers
            done = command("run", "--prompt", "12 cases for a shop", "--yes", display, cwd=tmp_path, env=env)
            clean("what was printed", done.stdout + done.stderr)
            assert "Traceback" not in done.stderr and "[hidden]" in done.stdout + done.stderr
            assert done.returncode == code, done.stderr
        assert server.headers[-1]["authorization"] == f"Bearer {KEY}"
    assert "session.db" in clean_folder(tmp_path)
    clean_folder(Path(os.environ["HOME"]))


async def test_what_the_app_shows(fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    flags = {"base_url": fake.url, "model": "gpt-4o", "max_retries": 0, "checkpoint_dir": tmp_path / "checkpoints"}
    fake.agent_script[:] = [
        model.status(401, "Incorrect API key provided", "invalid_api_key", echo_key=True),
        model.says(f"Your key is {KEY} and that is all.", chunk=4),
    ]
    async with studio(flags=flags) as host:
        await host.app.begin_conversation()
        for words in ("does not accept the API key", "and that is all."):
            await host.command("Hello")
            await host.said(words)
            await host.sees("[hidden]")
            clean("the screen", re.sub(r"\s+", "", host.text))
            clean("the screenshot", re.sub(r"<[^>]*>|\s|&#160;", "", host.app.export_screenshot()))
    assert "session.db" in clean_folder(tmp_path)


def test_a_key_in_pieces_never_leaves_and_a_text_that_only_resembles_it_does() -> None:
    out = io.StringIO()
    redactor = StreamRedactor((KEY, B64))
    for piece in re.findall("(?s).{1,3}", f"sk-can sk-canary-Zk {KEY}{B64} sk-canary-Zk3/p+q sk-"):
        out.write(redactor.take(piece))
    out.write(redactor.rest())
    assert out.getvalue() == "sk-can sk-canary-Zk [hidden][hidden] sk-canary-Zk3/p+q sk-"
