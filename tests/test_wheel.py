"""The wheel installs as the manual says, and what is installed has all that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from dsbuilder_tui import __version__
from dsbuilder_tui.manual import page, topics
from tests.support.process import ROOT

PIP = (sys._base_executable, "-m", "pip", "--disable-pip-version-check")  # the environment's own Python may have none
DATA = (".md", ".yaml", ".toml", ".tcss", ".typed", ".ipynb", ".html", ".css", ".js")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The person's own environment, for what they have told pip and uv about indexes and caches; else, as in the Makefile,
    uv trusts the system's certificates."""
    return {"UV_SYSTEM_CERTS": "true", **os.environ}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """The wheel that ``make wheel`` builds, from a copy, so that nothing is left in the repository."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "dsbuilder_tui", source / "dsbuilder_tui", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        ["make", "wheel", f"PYTHON={sys._base_executable}"],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> str | None:
    """The uv of this environment, or one that pip brings; None where it cannot be had, which `make` allows for."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}")
    if found:
        return found
    place = tmp_path_factory.mktemp("uv")
    bring = (*PIP, "install", "--quiet", "--target", place, "--constraint", ROOT / "constraints.txt", "uv")
    done = subprocess.run(list(map(str, bring)), env=environment, capture_output=True, check=False)
    return str(place / "bin" / "uv") if done.returncode == 0 else None


def run(*command: str | Path, env: dict[str, str]) -> str:
    done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def works(dsbuilder: Path, env: dict[str, str], home: Path) -> None:
    """The command answers, reads its pages, and builds a dataset, away from the repository."""
    home.mkdir(exist_ok=True)
    env = {"PATH": env["PATH"], "HOME": str(home)}
    assert run(dsbuilder, "--version", env=env) == f"dsbuilder {__version__}\n"
    listed = run(dsbuilder, "manual", env=env)
    assert all(topic.summary in listed for topic in topics())
    assert run(dsbuilder, "manual", "settings", env=env).strip() == page("settings").strip()
    assert "Complete: 60 cases" in run(dsbuilder, "run", "--example", "travel_assistant", "--plain", env=env)


def test_everything_that_is_read_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(file.relative_to(ROOT)) for file in (ROOT / "dsbuilder_tui").rglob("*") if file.suffix in (*DATA, ".py")
    }
    assert files <= packed
    assert not [name for name in packed if name.startswith("tests")]


def test_uv_tool_install(wheel: Path, uv: str | None, environment: dict[str, str], tmp_path: Path) -> None:
    if uv is None:
        return
    env = environment | {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    constraints = ROOT / "constraints.txt"
    run(uv, "tool", "install", "--python", sys.executable, "--constraints", constraints, wheel, env=env)
    works(tmp_path / "bin" / "dsbuilder", environment, tmp_path / "home")


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_pipx_does(whole: bool, wheel: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """A virtual environment of its own with the wheel in it, by pip, and a link to the command in a folder of the path.

    ``whole``: with everything that the wheel asks for, which takes pip half a minute; else those packages are lent.
    """
    place, link = tmp_path / "venv", tmp_path / "bin" / "dsbuilder"
    run(sys.executable, "-m", "venv", "--without-pip", place, env=environment)
    pip = (*PIP, "--python", place / "bin" / "python", "install", "--quiet")
    run(*pip, *(("--constraint", ROOT / "constraints.txt") if whole else ("--no-deps",)), wheel, env=environment)
    if not whole:
        (packages,) = place.glob("lib/python*/site-packages")
        (packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    link.parent.mkdir()
    link.symlink_to(place / "bin" / "dsbuilder")
    works(link, environment, tmp_path / "home")
