"""What the program leaves behind is its owner's alone, and what it says on the way out moves no cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsbuilder_tui.cli import dispatch
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.store.lock import SessionLock
from tests.models.test_redaction import ENCODINGS
from tests.support.process import command


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


@pytest.mark.parametrize("before", ["nothing", "readable", "link"])
def test_the_crash_log_is_its_owners(
    before: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("a bug\x1b[2J")

    monkeypatch.setattr(dispatch, "build_parser", crash)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert dispatch.run_command(["sessions"]) == 1
    log = next((tmp_path / "state").rglob("crash.log"))
    mine = tmp_path / "mine"
    mine.write_text("mine")
    if before == "readable":
        log.chmod(0o644)
    elif before == "link":
        log.unlink()
        log.symlink_to(mine)
    assert dispatch.run_command(["sessions"]) == 1
    assert mode(log) == 0o600 and not log.is_symlink() and "RuntimeError" in log.read_text()
    assert mine.read_text() == "mine" and "\x1b" not in log.read_text() + capsys.readouterr().err


def test_no_secret_is_in_the_crash_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "sk-canary-Zk3/p+q=r"

    def crash(*_: object) -> None:
        raise RuntimeError(
            f"no {' '.join(each(key) for each in ENCODINGS.values())} {{'Authorization': 'Bearer {key}'}} canary-word"
        )

    monkeypatch.setattr(dispatch, "build_parser", crash)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary-word@proxy:1")
    for settings in ("", "no toml at all"):  # settings that cannot be read hide nothing the less
        Path("dsbuilder.toml").write_text(settings)
        assert dispatch.run_command(["sessions"]) == 1
        told = next((tmp_path / "state").rglob("crash.log")).read_text() + capsys.readouterr().err
        assert "[hidden]" in told and not [e for e in ENCODINGS.values() if e(key) in told] and "canary" not in told


@pytest.mark.parametrize("before", ["nothing", "readable"])
def test_the_owners_note_is_its_owners(before: str, tmp_path: Path) -> None:
    if before == "readable":
        (tmp_path / "session.owner").write_text("1")
    lock = SessionLock(tmp_path)
    lock.acquire()
    assert mode(tmp_path / "session.owner") == 0o600 and lock.owner_pid()
    lock.release()
    assert mode(tmp_path / "session.lock") == 0o600


def test_no_note_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "session.owner").symlink_to(tmp_path / "mine")
    with pytest.raises(StorageError, match="session.owner is not an ordinary file"):
        SessionLock(tmp_path).acquire()
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "plan.yaml", "\x1b]52;c;eA==\x07"],
        ["\x1b[2J"],
        ["export", "s", "--out", "x", "--format", "\x9b2J"],
        ["run", "--\u202eevil"],
        ["manual", "\x1b[2J"],
    ],
)
def test_what_is_wrong_with_a_line_moves_no_cursor(words: list[str], tmp_path: Path) -> None:
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2 and not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr)
