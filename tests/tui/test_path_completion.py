"""Paths that `@` asks for: what is offered, what is written, and what the planner makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsbuilder_tui.tui.studio.cards import PlanCard
from dsbuilder_tui.tui.studio.path_completion import PathCompletion, paths_below, paths_in, with_paths_named
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.studio import NARROW, User, studio


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "project"
    for name in ("docs/faq.md", "docs/my terms.md", "src/bot.py", ".secret/key", "node_modules/x/faq.md", "faq-old.md"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("# Returns\n\nYou can return an item within 30 days.\n")
    for hostile in ("\x1b]52;c;x\x07", "a\nb.md", 'quo"te.md', b"\xff.md".decode(errors="surrogateescape")):
        (place / hostile).write_text("x")
    (place / "src" / "loop").symlink_to(place)
    monkeypatch.chdir(place)
    return place


def offered(user: User) -> list[str]:
    return [choice.shown for choice in user.one("#prompt", Prompt).choices]


def test_what_lies_below_a_folder(folder: Path) -> None:
    assert [found.path for found in paths_below(folder)] == [
        "docs", "faq-old.md", "node_modules", "src", "docs/faq.md", "docs/my terms.md", "src/bot.py", "src/loop",
    ]  # fmt: skip
    assert ".secret" in [found.path for found in paths_in(folder, "")]
    assert [found.path for found in paths_in(folder, "./.secret/")] == ["./.secret/key"]
    assert paths_in(folder, "~nobody_here/") == paths_in(folder, "nothing/") == []


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("write 20 from @docs/faq.md, please", "write 20 from ./docs/faq.md, please"),
        ("write 20 from @docs/faq.md.", "write 20 from ./docs/faq.md."),
        ('with @"docs/my terms.md" as source', 'with "./docs/my terms.md" as source'),
        ("@src", "./src"),
        ("@./src and @.secret/key", "./src and ./.secret/key"),
        ("ask @support or me@docs/faq.md", "ask @support or me@docs/faq.md"),
        ("@~nobody_here/x and @\0", "@~nobody_here/x and @\0"),
    ],
)
def test_a_path_that_is_there_is_sent_as_one(folder: Path, said: str, sent: str) -> None:
    assert with_paths_named(said, folder) == sent


async def test_nothing_is_asked_of_the_disk_without_an_at_sign(folder: Path) -> None:
    completion = PathCompletion(folder, lambda: None)
    assert completion.choices("me@docs") == completion.choices("docs/") == completion.choices("@docs/faq.md then") == []
    assert not completion._reading


async def test_a_path_is_completed_and_read_as_one(folder: Path) -> None:
    async with studio(size=NARROW) as user:
        await user.press("n")
        await user.at("StudioScreen", "prompt")
        prompt = user.one("#prompt", Prompt)
        await user.write("20 questions for a shop from @faq")
        await user.until(lambda: offered(user) == ["faq-old.md", "docs/faq.md"])
        await user.write("x")
        await user.until(lambda: not offered(user))
        await user.press("backspace")
        await user.until(lambda: len(offered(user)) == 2)
        await user.sees("faq-old.md", "docs/faq.md")
        await user.press("down", "tab")  # takes the second
        await user.until(lambda: prompt.text == "20 questions for a shop from ./docs/faq.md ")
        assert not offered(user)
        prompt.fill("20 questions for a shop from @do")
        await user.until(lambda: offered(user)[:1] == ["docs/"])
        await user.press("enter")  # a folder: goes on inside it, and sends nothing
        await user.until(lambda: prompt.text.endswith("@docs/") and "docs/my terms.md" in offered(user))
        await user.write("my")
        await user.until(lambda: offered(user) == ["docs/my terms.md"])
        await user.press("enter")
        await user.until(lambda: prompt.text == '20 questions for a shop from "./docs/my terms.md" ')
        prompt.fill("20 questions for a shop from @docs/faq.md")
        await user.until(lambda: offered(user) == ["docs/faq.md"])
        await user.press("escape")
        await user.until(lambda: not offered(user))
        await user.press("enter")  # the list is closed: it is sent
        sent = await user.said("20 questions for a shop from ./docs/faq.md")
        assert sent is not None
        await user.until(lambda: bool(user.app.screen.query(PlanCard)), 60)
        assert "faq.md" in str(user.app.screen.query(PlanCard).last().content)
