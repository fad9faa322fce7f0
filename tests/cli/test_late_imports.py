"""Errors are told with what is there already: when nothing more can be opened or loaded, nothing can be imported either."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fake_openai import FakeOpenAI
from tests.support.process import ROOT, command, fake_endpoint

PLAN = """\
dataset_name: shop
categories:
- {name: orders, count: 12, description: questions about orders, example_inputs: [Where is my order?]}
"""
RUN = ("run", "plan.yaml", "--checkpoint-dir", "new", "--plain", "--batch-size", "3")
OFFLINE = (*RUN, "--provider", "offline")
BY_MODEL = (*RUN, "--base-url", "URL", "--worker-model", "m", "--set", "max_retries=0")
TALK = ("run", "--prompt", "12 cases for a shop", "--checkpoint-dir", "new", "--base-url", "URL", "--model", "m")
NO_FILES, NO_MEMORY, NO_ROOM = "no more files can be opened", "no memory is left", "took nothing more"


@dataclass(frozen=True)
class Failing:
    """A function that fails so at a call of it, in a command, and what is said then."""

    error: str
    function: str
    call: int
    words: tuple[str, ...]
    said: str
    code: int = 1


STORE = "dsbuilder_tui.store"
TABLE = [
    Failing("descriptors", f"{STORE}.database:Database._transaction", 6, OFFLINE, "ulimit -n"),
    Failing("disk", "dsbuilder_tui.generation.journal:Journal._flush", 2, OFFLINE, NO_ROOM),
    Failing("memory", "dsbuilder_tui.diversity.comparer:Comparer.judge_groups", 2, OFFLINE, NO_MEMORY),
    Failing("memory", "dsbuilder_tui.offline.writer.offline_writer:OfflineWriter.stream", 2, OFFLINE, NO_MEMORY),
    Failing("bug", "dsbuilder_tui.offline.writer.offline_writer:OfflineWriter.stream", 2, OFFLINE, "an unexpected error"),
    Failing("bug", "dsbuilder_tui.generation.journal:Journal._flush", 2, OFFLINE, "an unexpected error"),
    Failing("interrupt", "dsbuilder_tui.generation.journal:Journal._flush", 2, OFFLINE, "Paused", 4),
    Failing("descriptors", "dsbuilder_tui.session.dataset_file:DatasetFile.write", 1, OFFLINE, NO_FILES),
    Failing("descriptors", "dsbuilder_tui.models.chat_client:ChatClient._open", 2, BY_MODEL, "Too many open files", 4),
    Failing("memory", "dsbuilder_tui.models.sse:EventStreamDecoder.feed", 2, BY_MODEL, NO_MEMORY),
    Failing("memory", "dsbuilder_tui.models.chat_client:ChatClient._open", 1, TALK, NO_MEMORY),
    Failing("descriptors", "dsbuilder_tui.agent.conversation:Conversation.say", 1, TALK, NO_FILES),
    Failing("memory", "dsbuilder_tui.session.dataset_export:write_cases", 1, ("export", "shop", "--out", "x.csv"), NO_MEMORY),
    Failing("descriptors", f"{STORE}.examination:_guarded", 3, ("doctor", "shop"), NO_FILES),
    Failing("memory", "dsbuilder_tui.session.diversity:SessionDiversity.figures", 1, ("show", "shop"), NO_MEMORY),
    Failing("memory", "dsbuilder_tui.diversity.comparer:Comparer._prints", 1, ("dedup", "shop.jsonl"), NO_MEMORY),
    Failing("bug", "dsbuilder_tui.settings.stack:load_config", 1, ("config",), "an unexpected error"),
]  # fmt: skip
ALWAYS = {0, 2, 4, 8}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    (folder / "plan.yaml").write_text(PLAN)
    words = ("run", "plan.yaml", "--provider", "offline", "--checkpoint-dir", "s", "--out", "shop.jsonl")
    done = command(*words, cwd=folder, env=_home(folder))
    assert done.returncode == 0, done.stderr
    return folder


def _home(folder: Path) -> dict[str, str]:
    return {name: str(folder) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}


def _told(failing: Failing, place: Path, folder: Path, fake: FakeOpenAI) -> subprocess.CompletedProcess[str]:
    words = [fake.url if word == "URL" else word for word in failing.words]
    if "shop" in words:
        words += ["--checkpoint-dir", str(place / "s")]
    if failing.words[0] == "run":
        words[words.index("new")] = str(folder / "s")
    return subprocess.run(
        [sys.executable, "-m", "tests.support.without_imports", str(folder / "asked"), failing.error, failing.function,
         str(failing.call), *words],
        cwd=place, env={**os.environ, **_home(place), "PYTHONPATH": str(ROOT), "DSBUILDER_API_KEY": "sk-a-key-of-mine"},
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(
            each, id=f"{each.error} {each.function.partition(':')[2]}", marks=[] if n in ALWAYS else [pytest.mark.slow]
        )
        for n, each in enumerate(TABLE)
    ],
)
def test_an_error_needs_no_import(place: Path, tmp_path: Path, failing: Failing) -> None:
    with fake_endpoint() as fake:
        done = _told(failing, place, tmp_path, fake)
    assert (tmp_path / "asked").read_text().split() == [], done.stderr
    assert failing.said in done.stderr + done.stdout * (failing.error == "interrupt"), done.stderr + done.stdout
    assert done.returncode == failing.code, done.stderr
    assert ("unexpected" in done.stderr) == (failing.error == "bug"), done.stderr
