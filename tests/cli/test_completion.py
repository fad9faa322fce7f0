"""Shell completion: the script is made from the same tables as the parser, and works in a real bash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dsbuilder_tui.cli.commands import command_names
from tests.support.process import command as dsbuilder


def completed(script: Path, *words: str, cwd: Path) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in words)
    code = (
        f"shopt -s extglob progcomp; source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        f'COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}; '
        "name=$(complete -p dsbuilder | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p'); $name 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=cwd)
    return done.stdout.split()


def test_bash_completes_commands_flags_and_files(tmp_path: Path) -> None:
    script = tmp_path / "dsbuilder.bash"
    script.write_text(dsbuilder("completion", "bash", cwd=tmp_path).stdout)
    (tmp_path / "plan.yaml").write_text("")
    assert completed(script, "dsbuilder", "ex", cwd=tmp_path) == ["export", "examples"]
    assert "--skip-damaged" in completed(script, "dsbuilder", "export", "--s", cwd=tmp_path)
    assert completed(script, "dsbuilder", "export", "--format", "par", cwd=tmp_path) == ["parquet"]
    assert completed(script, "dsbuilder", "run", "pla", cwd=tmp_path) == ["plan.yaml"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_in_the_script(shell: str, tmp_path: Path) -> None:
    done = dsbuilder("completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert [name for name in command_names() if name not in done.stdout] == []


def test_another_shell_is_refused_with_the_ones_there_are(tmp_path: Path) -> None:
    done = dsbuilder("completion", "cmd.exe", cwd=tmp_path)
    assert done.returncode == 2 and "bash" in done.stderr
