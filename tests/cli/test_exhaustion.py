"""A process that is given nothing more says what is at its end, and is no bug."""

from __future__ import annotations

import errno
import io
import resource
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from dsbuilder_tui.cli import dispatch
from dsbuilder_tui.cli.dispatch import run_command
from dsbuilder_tui.domain.exhaustion import exhaustion
from tests.support.process import command, start


def _of(cause: Exception) -> Exception:
    try:
        try:
            raise cause
        except Exception as error:
            raise ImportError("numpy cannot be loaded") from error
    except ImportError as error:
        return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "no memory is left"),
        (ImportError("/x/tokenizers.abi3.so: failed to map segment from shared object"), "no memory is left"),
        (RuntimeError("can't start new thread"), "no memory is left"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "no memory is left"),
        (OSError(errno.EMFILE, "Too many open files"), "no more files can be opened"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk took nothing more"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk took nothing more"),
        (_of(OSError(errno.ENFILE, "Too many open files in system")), "no more files can be opened on this machine"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_what_is_at_its_end_is_said(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(dispatch, "build_parser", lambda given: fail())
    with redirect_stderr(io.StringIO()) as err:
        assert run_command(["sessions"]) == 1
    assert words in err.getvalue() and "unexpected" not in err.getvalue() and "saved" in err.getvalue()


@pytest.mark.parametrize(
    "error", [RuntimeError("something else"), OSError(errno.ENOENT, "no such file"), KeyError("x")]
)
def test_a_bug_stays_a_bug(error: Exception) -> None:
    assert exhaustion(error) is None


LONG = "c" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["show", LONG], ["run", f"{LONG}.yaml"], ["dedup", LONG], ["export", "--out", f"{LONG}.jsonl"], ["import", f"{LONG}.json"],
        ["resume", LONG], ["doctor", LONG], ["replay", LONG], ["show", "--checkpoint-dir", LONG], ["export", LONG],
        ["sessions", "--checkpoint-dir", f"/{LONG}/x"], ["dedup", "loop"], ["run", "loop"],
    ],
    ids=lambda words: " ".join(words)[:24],
)  # fmt: skip
def test_a_name_that_no_file_can_have(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "loop").symlink_to("loop")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2 and "unexpected" not in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "words", [["run", "plan.yaml"], ["show"], ["dedup", "x.jsonl"], ["doctor", "x"], ["judge", "x.jsonl"]]
)
def test_a_limit_that_is_too_small_is_said_before_anything_begins(tmp_path: Path, words: list[str]) -> None:
    """A numeric library would end the process in words of its own."""
    few = 380 * 2**20
    process = start(*words, cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (few, few)))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "may have 380 MB of memory" in err and "ulimit -v" in err, (out, err)
    assert not list(tmp_path.rglob("session.db"))


def test_what_compares_nothing_needs_little(tmp_path: Path) -> None:
    few = 380 * 2**20
    for words in (["manual"], ["config"], ["sessions"]):
        process = start(*words, cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (few, few)))
        assert process.communicate(timeout=60)[0] and process.returncode == 0
