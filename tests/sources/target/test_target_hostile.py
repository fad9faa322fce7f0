"""Folders and files that would like to be followed, waited for, run, or to be too much."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.target.folder_walk import MOST_BYTES, MOST_FILES
from dsbuilder_tui.sources.target.target_reader import Target, read_target, target_of_text


def noted(target: Target, *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in target.notes)


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    folder = tmp_path / "bot"
    folder.mkdir()
    (folder / "system_prompt.md").write_text("Be kind.")
    return folder


def test_links_lead_nowhere_else(bot: Path, tmp_path: Path) -> None:
    (tmp_path / "other_prompt.md").write_text("OUTSIDE")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "prompt.md").write_text("OUTSIDE")
    (bot / ".env").write_text("INSIDE=1")
    (bot / "v3.text").write_text("Be brief.")
    for name, goal in {
        "a_prompt.md": "../other_prompt.md", "folder": "../elsewhere", "loop": "loop", "self": ".", "up": "..",
        "b_prompt.md": ".env", "c_prompt.md": "v3.text", "d_prompt.md": "gone",
    }.items():  # fmt: skip
        (bot / name).symlink_to(goal)
    target = read_target(bot)
    assert target.prompt == "# c_prompt.md\nBe brief.\n\n# system_prompt.md\nBe kind."
    assert noted(target, "out of the folder", "a_prompt.md", "folder", "up") and noted(
        target, "nowhere", "loop", "d_prompt.md"
    )
    assert noted(target, "may hold keys", ".env", "b_prompt.md")
    (tmp_path / "link").symlink_to(bot)
    assert read_target(tmp_path / "link").prompt == target.prompt


def test_pipes_and_devices_are_not_opened(bot: Path) -> None:
    os.mkfifo(bot / "pipe_prompt.md")
    assert noted(read_target(bot), "not a regular file", "pipe_prompt.md")
    for path in (bot / "pipe_prompt.md", Path("/dev/zero")):
        with pytest.raises(InputError, match="neither a file nor a folder"):
            read_target(path)


def test_what_holds_keys_is_left_out(bot: Path) -> None:
    for name in (".env", ".env.local", "server.pem", "a.key", "id_rsa", "credentials.json", "my_secrets_prompt.md"):
        (bot / name).write_text("SECRET")
        with pytest.raises(InputError, match="may hold keys"):
            read_target(bot / name)
    (bot / "secrets").mkdir()
    (bot / "secrets" / "prompt.md").write_text("SECRET")
    target = read_target(bot)
    assert target.prompt == "Be kind." and noted(target, "may hold keys", ".env", "(and 5 more)")
    (bot / ".ssh").mkdir()
    (bot / ".ssh" / "config_prompt.md").write_text("SECRET")
    for path in (bot / ".ssh", bot / ".ssh" / "config_prompt.md"):
        with pytest.raises(InputError, match="keys"):
            read_target(path)


def test_hidden_built_and_foreign_folders_are_not_looked_into(bot: Path) -> None:
    for name in (".git", "node_modules", "__pycache__", "dist", "venv", "mine"):
        (bot / name).mkdir()
        (bot / name / "prompt.md").write_text(f"IN {name}")
    (bot / "mine" / "pyvenv.cfg").touch()
    target = read_target(bot)
    assert target.prompt == "Be kind."
    assert noted(target, "not looked into", "__pycache__", "dist", "(and 2 more)") and noted(target, "hidden", ".git")


def test_ten_thousand_files_and_the_same_order_each_time(bot: Path) -> None:
    for number in range(10_000):
        (bot / f"m{number:05}.py").write_text(
            f'@tool\ndef t{number}(x: int):\n    "Does it."\n' if number % 100 == 0 else ""
        )
    target = read_target(bot)
    looked = MOST_FILES - 1  # the prompt is looked at before any code
    assert target.prompt == "Be kind."
    assert [tool.name for tool in target.tools] == ["t0", "t100", "t200", "t300"]
    assert noted(target, f"more than {MOST_FILES} files", f"m00{looked}.py", f"(and {10_000 - looked - 3:,} more)")
    assert read_target(bot) == target


def test_sizes_and_depth_are_bounded(bot: Path) -> None:
    (bot / "big_prompt.md").write_text("x" * (MOST_BYTES + 1))
    for number in range(10, 40):
        (bot / f"prompt{number:02}.txt").write_text(f"{number} " * 80_000)
    deep = bot
    for _ in range(12):
        deep = deep / "d"
        deep.mkdir()
        (deep / "prompt.md").write_text(f"depth {len(deep.relative_to(bot).parts)}.")
    target = read_target(bot)
    assert noted(target, "larger than 256 KiB", "big_prompt.md") and noted(target, "4 MiB in all", "prompt")
    assert noted(target, "deeper than 8 folders", "d/d/d/d/d/d/d/d/d") and len(target.prompt) <= 65_536
    with pytest.raises(InputError, match="larger than 256 KiB"):
        read_target(bot / "big_prompt.md")


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("laughs.yaml", LAUGHS, "too many values"),
        ("anchors.yaml", "".join(f"- &a{n} x\n" for n in range(101)), "more than 100 anchors"),
        ("deep.yaml", "[" * 100_000, "nested too deeply"),
        ("wrong.yaml", "a: [", "not valid YAML"),
        ("deep.json", "[" * 200_000, "not valid JSON"),
        ("objects.json", '{"a":' * 40_000, "not valid JSON"),
        ("wrong.json", "{,}", "not valid JSON"),
        ("parens.py", "(" * 100_000, "not Python"),
        ("sum.py", "x = 1" + "+1" * 100_000, "not Python"),
        ("minus.py", "-" * 200_000 + "1", "not Python"),
        ("dots.py", "x = a" + ".a" * 100_000, "not Python"),
        ("wrong.py", "def def", "not Python"),
        ("half.py", "X = '\ud800'".encode("utf-8", "surrogatepass"), "not UTF-8"),
        ("latin_prompt.txt", "Größe".encode("latin-1"), "not UTF-8"),
        ("binary_prompt.txt", b"\x00\x01\x02", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_noted_and_passed_over(bot: Path, name: str, text: str | bytes, why: str) -> None:
    (bot / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    target = read_target(bot)
    assert target.prompt == "Be kind." and noted(target, why, name)


def test_yaml_obeys_no_tag(bot: Path, tmp_path: Path) -> None:
    (bot / "agent.yaml").write_text(
        f"x: !!python/object/apply:os.mkdir [{tmp_path}/made]\nsystem_prompt: You are as safe as text can be.\nn: {'1:' * 50_000}1\n"
    )
    assert "as safe as text" in read_target(bot).prompt and not (tmp_path / "made").exists()


def test_names_that_stand_for_names_cost_little(bot: Path) -> None:
    lines = ["P0_PROMPT = 'hello there my dear friend '"]
    lines += [f"P{n}_PROMPT = P{n - 1}_PROMPT + P{n - 1}_PROMPT + P{n - 1}_PROMPT" for n in range(1, 2000)]
    (bot / "names.py").write_text("\n".join([*lines, "LOOP_PROMPT = OTHER_PROMPT", "OTHER_PROMPT = LOOP_PROMPT"]))
    assert "hello there my dear friend hello" in read_target(bot).prompt


def test_hostile_names_of_files(bot: Path) -> None:
    (bot / "\x1b[2J_prompt.md").write_text("Be odd.")
    (bot / os.fsdecode(b"\xff_prompt.json")).write_text("{")
    target = read_target(bot)
    assert "# ␛[2J_prompt.md\nBe odd." in target.prompt and noted(target, "not valid JSON", "\ufffd_prompt.json")


def test_many_tools_and_pasted_bombs() -> None:
    many = [{"name": f"t{n}", "description": "x", "input_schema": {}} for n in range(1000)]
    target = target_of_text(json.dumps(many))
    assert len(target.tools) == 200 and noted(target, "800 tools")
    for text in (
        "[" * 300_000,
        "```json\n[" * 20_000,
        '[{"a":1},\n' * 20_000,
        "key:" * 60_000,
        "\x00\x1b" * 100_000,
        "\ud800",
    ):
        assert target_of_text(text).prompt


def test_what_cannot_be_used_says_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\x00")
    for path, problem in {
        tmp_path / "gone": "There is no file or folder",
        tmp_path / "empty": "no README, prompt or tool",
        tmp_path / "empty.md": "is empty",
        tmp_path / "picture.png": "is not UTF-8 text",
        tmp_path / ("x" * 300): "cannot be read",
        Path("nul\x00\x1b"): "cannot be read",
        "": "No path",
    }.items():
        with pytest.raises(InputError, match=problem) as caught:
            read_target(path)
        assert caught.value.hint and "\x1b" not in str(caught.value)
        if path:
            assert caught.value.problem.count(Path(path).name[:20].split("\x00")[0])


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is made by the system call, because root may read everything."""
    (tmp_path / "prompt.md").write_text("x")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open" if what == "file" else "scandir", refuse)
    with pytest.raises(InputError, match="cannot be read"):
        read_target(tmp_path / "prompt.md" if what == "file" else tmp_path)
