"""Messages and questions as session files hold them: of earlier versions, of later ones, damaged ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.approval import (
    Approval,
    ApprovalDecision,
    ApprovalState,
    OtherApproval,
    PlanApproval,
    QuestionApproval,
)
from dsbuilder_tui.domain.events import ApprovalAsked, Event, MessageAdded
from dsbuilder_tui.domain.message import (
    CommandContent,
    ErrorContent,
    Message,
    MessageContent,
    MessageKind,
    MessageRole,
    NoticeContent,
    PlanContent,
    QuestionContent,
    TextContent,
    ToolContent,
    WelcomeContent,
)
from dsbuilder_tui.session.replay import recorded_events

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

# As versions wrote them that kept dicts.
ROW = '{"name":"refunds","count":6,"was":4,"axes":5,"combinations":4032}'
NEW_ROW = '{"name":"order_status","count":8,"was":null,"axes":5,"combinations":4032}'
CARD = (
    f'{{"revision":2,"planned":14,"rows":[{NEW_ROW},{ROW}],"changed":true,"call":"c2","dataset":"support_bot",'
    '"notes":["English only"]}'
)
PLAN = (
    '{"dataset_name":"support_bot","description":"A shop","categories":[{"name":"order_status","description":"Where is it",'
    '"count":8,"example_inputs":["Where is my order #12345?"],"expectations":{"polite":true},"attributes":{},'
    '"expected_tools":[],"diversity":"on"}],"total_instances":8,"input_fields":{"query":""},"attributes":{}}'
)
WRITTEN: list[tuple[str, str, str, type[MessageContent]]] = [
    ("person", "text", '{"pastes":{"1":"a long text"}}', TextContent),
    ("person", "text", "{}", TextContent),
    ("agent", "plan", CARD, PlanContent),
    ("dsbuilder", "plan", f'{{"revision":1,"planned":6,"rows":[{ROW}],"changed":false}}', PlanContent),
    ("agent", "question", '{"call":"c3","tool":"export_dataset"}', QuestionContent),
    (
        "agent",
        "tool",
        '{"call":"c1","tool":"t","ok":false,"seconds":0.009,"arguments":"{}","answer":"no"}',
        ToolContent,
    ),
    ("dsbuilder", "notice", "{}", NoticeContent),
    ("dsbuilder", "error", "{}", ErrorContent),
    ("dsbuilder", "command", "{}", CommandContent),
    ("dsbuilder", "welcome", "{}", WelcomeContent),
]
LATER = [
    ("agent", "picture", '{"width":3,"of":[1,{"a":null}]}'),
    ("critic", "verdict", '"plain"'),
    ("agent", "plan", '{"rows":"none"}'),
    ("agent", "plan", '{"rows":[{"name":"a"}]}'),
    ("agent", "plan", "{}"),
    ("agent", "tool", '{"call":7,"seconds":"soon"}'),
    ("agent", "question", "[]"),
    ("person", "text", '{"pastes":{"first":"x"}}'),
    ("agent", "other", '{"recorded":"text","given":{}}'),
]


async def write_messages(session: Session, rows: list[Any]) -> None:
    store = session._files.store
    numbered = [(store.next_seq(), 1, role, kind, "the words", data, 5.0) for role, kind, data, *_ in rows]
    await store.connection.write(lambda db: db.executemany("INSERT INTO message VALUES (?,?,?,?,?,?,?)", numbered))


async def test_every_kind_that_was_ever_written_is_read(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_messages(session, WRITTEN)
        messages = await session.chat.messages()
        assert [(m.role, m.kind, type(m.content)) for m in messages] == [
            (role, kind, content) for role, kind, _, content in WRITTEN
        ]
        assert all(isinstance(m.role, MessageRole) and isinstance(m.kind, MessageKind) for m in messages)
        text, _, card, plan, question, tool = [m.content for m in messages[:6]]
        assert isinstance(text, TextContent) and text.pastes == {1: "a long text"}
        assert isinstance(card, PlanContent) and [(r.count, r.was) for r in card.rows] == [(8, None), (6, 4)]
        assert isinstance(plan, PlanContent) and (plan.call, plan.dataset, plan.notes) == ("", "", ())
        assert isinstance(question, QuestionContent) and question.tool == "export_dataset"
        assert isinstance(tool, ToolContent) and (tool.ok, tool.seconds) == (False, 0.009)
        assert [m.call for m in messages[:6]] == ["", "", "c2", "", "c3", "c1"]
        told = [event async for event in recorded_events(session) if isinstance(event, MessageAdded)]
        assert [(e["role"], e["kind"], e["data"]) for e in (event.as_dict() for event in told)] == [
            (role, kind, json.loads(data)) for role, kind, data, _ in WRITTEN
        ]


async def test_what_is_written_is_what_was_written_before(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_messages(session, WRITTEN)
        for message in await session.chat.messages():
            assert isinstance(message.role, MessageRole)
            await session.chat.add(message.role, message.text, message.content)
        rows = await session._files.store.connection.read(
            lambda db: db.execute("SELECT role, kind, data FROM message ORDER BY seq").fetchall()
        )
    assert rows == [(role, kind, data) for role, kind, data, _ in WRITTEN] * 2


async def test_what_a_later_version_wrote_is_plain_text(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_messages(session, LATER)
        messages = await session.chat.messages()
        assert all(m.kind is MessageKind.OTHER and m.text == "the words" and m.call == "" for m in messages)
        told = [event async for event in recorded_events(session) if isinstance(event, MessageAdded)]
        assert [(e["role"], e["kind"], e["data"]) for e in (event.as_dict() for event in told)] == [
            (role, kind, json.loads(data)) for role, kind, data in LATER
        ]


async def test_a_field_that_a_later_version_added_is_kept(make_plan: Plans, make_config: Configs) -> None:
    rows = [("agent", "tool", '{"call":"c1","tool":"t","dollars":0.5,"kind":"x"}')]
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_messages(session, rows)
        (message,) = await session.chat.messages()
        assert isinstance(message.content, ToolContent) and message.kind is MessageKind.TOOL
        assert MessageAdded(ts=1.0, message=message).facts()["data"] == json.loads(rows[0][2])


@pytest.mark.parametrize(
    "content",
    [
        ToolContent(arguments="a \ud800 b", answer="\udfff"),
        TextContent(pastes={1: "x\ud800"}),
        QuestionContent(call="c", tool="t\ud800"),
    ],
    ids=["tool", "pastes", "question"],
)
async def test_half_a_character_is_replaced(content: MessageContent, make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.chat.add(MessageRole.AGENT, "x", content)
        (message,) = await session.chat.messages()
        assert message.content == content and "\ufffd" in json.dumps(content.data(), ensure_ascii=False)


PROPOSAL = (
    f'{{"card":{CARD},"plan":{PLAN},"against":1,"renamed":{{"a":"b"}},"changes":["~ refunds 4 → 6"],'
    '"text":"support_bot: 14 cases in 2 categories","kind":"plan","arguments":{"counts":{"refunds":6}}}'
)
QUESTION = '{"text":"Write 0 cases?","kind":"question","arguments":{"path":"out.jsonl"}}'


async def write_approval(session: Session, call_id: str, data: str, state: str, decision: str = "") -> None:
    row = (call_id, 1, session._files.store.next_seq(), "a_tool", data, "frozen", state, decision, 5.0)
    await session._files.store.connection.write(
        lambda db: db.execute("INSERT INTO approval VALUES (?,?,?,?,?,?,?,?,?)", row)
    )


async def only(session: Session) -> Approval:
    (approval,) = await session.approvals.newest()
    return approval


async def kept(session: Session) -> list[Any]:
    return await session._files.store.connection.read(
        lambda db: db.execute("SELECT data, state, decision FROM approval").fetchall()
    )


async def test_a_proposal_is_decided_and_taken_back_as_it_was_written(make_plan: Plans, make_config: Configs) -> None:
    events: list[Event] = []
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_approval(session, "c2", PROPOSAL, "open")
        session.subscribe(events.append)
        approval = await only(session)
        request = approval.request
        assert isinstance(request, PlanApproval) and approval.state is ApprovalState.OPEN
        assert approval.decision is ApprovalDecision.UNDECIDED
        assert request.card.call == "c2" and request.against == 1 and request.renamed == {"a": "b"}
        assert request.plan == request.wanted == DatasetPlanInput.model_validate_json(PLAN)

        edited = request.plan.model_copy(update={"description": "Mine"})
        decided = await session.approvals.decide(approval, ApprovalDecision.APPROVED, "", edited)
        (row,) = await kept(session)
        answer = f',"said":"","edited":{PLAN.replace("A shop", "Mine")}}}'
        assert row == (PROPOSAL[:-1] + answer, "decided", "approved")
        again = (await only(session)).request
        assert isinstance(again, PlanApproval) and again.wanted == edited and again == decided.request

        await session.approvals.reopen(await only(session))
        assert await kept(session) == [(PROPOSAL, "open", "")]
        (asked,) = [event for event in events if isinstance(event, ApprovalAsked)]
        assert asked.as_dict()["data"] == json.loads(PROPOSAL)


async def test_a_question_is_declined_with_words(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_approval(session, "c3", QUESTION, "open")
        approval = await only(session)
        assert isinstance(approval.request, QuestionApproval) and approval.request.arguments == {"path": "out.jsonl"}
        await session.approvals.decide(approval, ApprovalDecision.DECLINED, "fewer \ud800")
        assert await kept(session) == [(f'{QUESTION[:-1]},"said":"fewer \ufffd"}}', "decided", "declined")]


@pytest.mark.parametrize(
    "data",
    [
        '{"kind":"poll","text":"Which one?","options":[1,2]}',
        f'{{"kind":"plan","text":"A plan","card":{CARD},"plan":{{"dataset_name":"x","shards":3}},"against":1}}',
        '{"kind":"plan","text":"A plan"}',
        '{"kind":"question","text":7}',
        '{"kind":["plan"],"arguments":[]}',
        '"nothing"',
    ],
)
async def test_a_question_of_a_later_version_is_shown_and_kept(
    data: str, make_plan: Plans, make_config: Configs
) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_approval(session, "c9", data, "open")
        approval = await only(session)
        given = json.loads(data)
        words = given.get("text") if isinstance(given, dict) else ""
        assert isinstance(approval.request, OtherApproval)
        assert approval.request.text == (words if isinstance(words, str) else "")
        await session.approvals.decide(approval, ApprovalDecision.DECLINED, "No")
        await session.approvals.reopen(await only(session))
        assert [(json.loads(row[0]), row[1]) for row in await kept(session)] == [(given, "open")]


async def test_a_state_of_a_later_version_is_nothing_to_go_on_from(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await write_approval(session, "c3", QUESTION, "postponed", "later")
        approval = await only(session)
        assert (approval.state, approval.decision) == (ApprovalState.SETTLED, ApprovalDecision.REPLACED)
        assert await session.approvals.open() is None


def test_a_message_is_told_by_its_facts() -> None:
    message = Message(7, MessageRole.AGENT, "May I?", QuestionContent(call="c", tool="t"), 3.0)
    assert MessageAdded(ts=3.0, message=message).as_dict() == {
        "type": "message_added", "ts": "1970-01-01T00:00:03.000Z", "seq": 7, "role": "agent", "kind": "question",
        "text": "May I?", "data": {"call": "c", "tool": "t"},
    }  # fmt: skip
