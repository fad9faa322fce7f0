"""What the rooms promise one another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dsbuilder_tui

ROOT = Path(__file__).resolve().parents[1]

BLOCKED = """
import importlib, pkgutil, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("textual", "rich"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
import dsbuilder_tui
rooms = "session dedup agent generation offline models sources diversity store domain view settings atomic_write"
for room in rooms.split():
    module = importlib.import_module(f"dsbuilder_tui.{room}")
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
        importlib.import_module(info.name)
print(len([name for name in sys.modules if name.startswith("dsbuilder_tui")]))
"""


def test_the_engine_needs_no_terminal_library() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


def test_the_version_comes_without_heavy_imports() -> None:
    code = (
        "import sys;from dsbuilder_tui.cli.main import main;main(['--version']);"
        "heavy=[m for m in ('pydantic','aiohttp','orjson','rich','faker','asyncio','argparse') if m in sys.modules];print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"dsbuilder {dsbuilder_tui.__version__}", "[]"]


def test_a_run_imports_only_what_it_uses() -> None:
    code = (
        "import sys,asyncio;from dsbuilder_tui import *;"
        "p=DatasetPlanInput(dataset_name='d',categories=[DatasetCategory(name='c',count=2,example_inputs='Hi?')]);"
        "c=DatasetBuilderConfig(checkpoint_dir='s');asyncio.run(DatasetBuilderAgent(config=c).generate(p));"
        "print([m for m in ('aiohttp','pyarrow','json5','rich','tomlkit','agents','openai','faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_at_an_endpoint_comes_without_what_the_built_in_writer_draws_from() -> None:
    code = (
        "import sys,dsbuilder_tui.session.facade,dsbuilder_tui.generation.pipeline,dsbuilder_tui.models.chat_client;"
        "print([m for m in ('faker','faiss','json5','lxml','jsonschema','yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_app_is_there_before_the_agents_sdk() -> None:
    code = (
        "import sys,dsbuilder_tui.tui.start,dsbuilder_tui.tui.studio.screen,dsbuilder_tui.tui.home.screen;"
        "print([m for m in ('agents','openai','mlflow','aiohttp','numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_files_stay_small_enough_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in (ROOT / "dsbuilder_tui").rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 450
    }
    assert long == {}


def test_the_public_names_are_there() -> None:
    for name in dsbuilder_tui.__all__:
        assert getattr(dsbuilder_tui, name) is not None
    assert not hasattr(dsbuilder_tui, "nothing_like_it")
