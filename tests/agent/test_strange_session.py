"""A session's folder from elsewhere: its questions are asked anew, as they are, and its words are not the person's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.approval import ApprovalDecision, ApprovalState
from dsbuilder_tui.settings.locations import seal_secret_file
from tests.support.process import command
from tests.support.talking import SUPPORT, asked, calls, outcomes, says, talking

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def change(config: DatasetBuilderConfig, statement: str, values: tuple[Any, ...]) -> None:
    """Write into a session's database as anybody can who has the folder, and this program."""
    async with await Session.open("support", config) as session:
        store = session._files.store
        await store.connection.write(lambda database: database.execute(statement, values))


def elsewhere() -> None:
    seal_secret_file().unlink(missing_ok=True)


async def filled(make_config: Configs, make_plan: Plans) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()


async def asked_to_export(config: DatasetBuilderConfig, path: Path) -> Path:
    """A question about a file elsewhere waits in a session. Its folder."""
    steps = [calls("export_dataset", {"path": str(path)}, call_id="e1")], [says("Hm.")]
    async with talking(config, *steps, reference="support") as talk:
        assert asked(await talk.say("write it somewhere")) == ["export_dataset"]
        return talk.session.folder


@pytest.mark.parametrize("state", [ApprovalState.OPEN, ApprovalState.DECIDED])
@pytest.mark.parametrize("card", ["a lie", "another kind", "as it was"])
@pytest.mark.parametrize("made", ["elsewhere", "here"])
async def test_a_yes_has_the_effect_that_the_question_names_and_no_other(
    make_config: Configs, make_plan: Plans, tmp_path: Path, state: ApprovalState, card: str, made: str
) -> None:
    """Also where the folder was made here, given away, changed and given back."""
    config = make_config()
    await filled(make_config, make_plan)
    await asked_to_export(config, tmp_path / "theirs.csv")
    told: dict[str, Any] = {"kind": "question", "text": "Begin?", "subject": "run"}
    arguments = {"path": str(tmp_path / "other.csv")}
    if card == "a lie":
        told["arguments"] = arguments
    elif card == "as it was":
        arguments = {"path": str(tmp_path / "theirs.csv")}
        told |= {"text": f"Write 3 cases to {tmp_path}/theirs.csv?", "arguments": arguments}
    decision = ApprovalDecision.APPROVED if state is ApprovalState.DECIDED else ApprovalDecision.UNDECIDED
    words = "UPDATE approval SET data=?, state=?, decision=?"
    await change(config, words, (json.dumps(told), state, decision))
    if made == "elsewhere":
        elsewhere()
    async with talking(config, [says("Done.")], [says("Done.")], reference="support") as talk:
        waiting = await talk.conversation.waiting()
        if card == "another kind":  # a call without arguments writes into the session's folder: nothing has to be asked
            assert waiting is None
        else:
            assert waiting is not None and waiting.call_id != "e1" and waiting == talk.conversation.asked_again
            assert arguments["path"] in waiting.request.text and "Begin" not in waiting.request.text
            shown = [m for m in await talk.session.chat.messages() if m.call == waiting.call_id]
            assert [m.text for m in shown] == [waiting.request.text]
            parts = await talk.answer(True)
            assert outcomes(parts) == [("export_dataset", True)] and Path(arguments["path"]).exists()
        written = {path.name for path in tmp_path.glob("*.csv")}
        assert written == ({Path(arguments["path"]).name} if waiting else set())
        assert {a.state for a in await talk.session.approvals.newest()} == {ApprovalState.SETTLED}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("no_such_tool", {}), ("export_dataset", {"path": 3}), ("propose_plan", {}), ("finalize_dataset", {"x": 1})],
)
async def test_a_question_that_cannot_be_asked_is_settled(
    make_config: Configs, make_plan: Plans, tmp_path: Path, tool: str, arguments: dict[str, Any]
) -> None:
    await filled(make_config, make_plan)
    await asked_to_export(make_config(), tmp_path / "theirs.csv")
    data = json.dumps({"kind": "question", "text": "Begin?", "arguments": arguments})
    await change(make_config(), "UPDATE approval SET data=?, tool=?", (data, tool))
    elsewhere()
    async with talking(make_config(), [says("Hello.")], reference="support") as talk:
        assert await talk.conversation.waiting() is None
        assert [a.state for a in await talk.session.approvals.newest()] == [ApprovalState.SETTLED]
        assert not outcomes(await talk.say("hello"))


async def test_a_question_that_was_asked_here_waits_as_it_is(
    make_config: Configs, make_plan: Plans, tmp_path: Path
) -> None:
    await filled(make_config, make_plan)
    folder = await asked_to_export(make_config(), tmp_path / "mine.csv")
    folder.rename(tmp_path / "moved")
    async with talking(make_config(), [says("Done.")], reference=str(tmp_path / "moved")) as talk:
        waiting = await talk.conversation.waiting()
        assert waiting is not None and waiting.call_id == "e1" and talk.conversation.asked_again is None
        await talk.answer(True)
    assert (tmp_path / "mine.csv").exists()


@pytest.mark.parametrize("how", ["elsewhere", "added", "changed", "taken out"])
async def test_words_that_were_not_typed_here_name_nothing(
    make_config: Configs, make_plan: Plans, tmp_path: Path, how: str
) -> None:
    await filled(make_config, make_plan)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "README.md").write_text("A bot that answers questions about orders.\n")
    path = str(tmp_path / "secret")
    async with talking(make_config(), [says("Yes.")], [says("Yes.")], reference="support") as talk:
        await talk.say(f"look at {path}")
        await talk.say("and at nothing else")
    match how:
        case "elsewhere":
            elsewhere()
        case "added":
            copied = "SELECT max(seq) + 90, branch_id, role, kind, text || ?, data, created_at FROM message"
            await change(make_config(), f"INSERT INTO message {copied} WHERE role='person'", (" please",))
        case "changed":
            await change(make_config(), "UPDATE message SET text=text || ? WHERE role='person'", (" please",))
        case "taken out":
            await change(make_config(), "DELETE FROM message WHERE role='person' AND text LIKE ?", ("and%",))
    read = [calls("describe_target", {"path": path}, call_id="d1")], [says("So.")], [says("So.")]
    async with talking(make_config(), *read, reference="support") as talk:
        assert asked(await talk.say("go on")) == ["describe_target"]
        await talk.answer(False)
        assert not talk.session.agent_memory.target
    again = [calls("describe_target", {"path": path}, call_id="d2")], [says("So.")]
    async with talking(make_config(), *again, reference="support") as talk:
        parts = await talk.say(f"then read {path}")
        assert not asked(parts) and outcomes(parts) == [("describe_target", True)]


async def test_words_that_were_typed_here_count_when_the_session_is_opened_again(
    make_config: Configs, make_plan: Plans, tmp_path: Path
) -> None:
    await filled(make_config, make_plan)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "README.md").write_text("A bot that answers questions about orders.\n")
    async with talking(make_config(), [says("Yes.")], [says("Yes.")], reference="support") as talk:
        await talk.say("hello", {1: "a large text"})
        await talk.say(f"the bot is in {tmp_path}/bot")
    for number in range(2):
        steps = [calls("describe_target", {"path": f"{tmp_path}/bot"}, call_id=f"d{number}")], [says("So.")]
        async with talking(make_config(), *steps, reference="support") as talk:
            assert outcomes(await talk.say("go on")) == [("describe_target", True)]


async def test_yes_beforehand_is_no_yes_to_what_came_with_the_session(make_config: Configs, tmp_path: Path) -> None:
    async with talking(make_config(), [calls("propose_plan", SUPPORT, call_id="p1")], [says("Hm.")]) as talk:
        assert asked(await talk.say("a plan")) == ["propose_plan"]
        folder = talk.session.folder
    elsewhere()

    async def resume() -> Any:
        return await asyncio.to_thread(command, "resume", str(folder), "--yes", "--provider", "offline", cwd=tmp_path)

    first = await resume()
    assert first.returncode == 4 and "support_bot" in first.stdout, first.stderr
    async with await Session.open(folder, make_config()) as session:
        assert not session.planned
    second = await resume()  # the card has been seen
    assert second.returncode == 0, second.stderr
