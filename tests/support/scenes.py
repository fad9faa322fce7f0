"""The moments that are photographed: a session in each of its states, and ones that are hard to show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import Rejection
from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.catalog import STATUS_FILE
from dsbuilder_tui.store.rows import CaseLikeness, Changes
from tests.support.frozen import NOW, FrozenApp, Script, settled

AXES = {
    "persona": ["student", "worried parent", "busy professional"],
    "tone": ["polite", "impatient", "angry", "formal"],
}
HOSTILE = "\x1b[31mred\x1b[0m \x1b]52;c;cm0gLXJm\x07 \u202egnp.exe\u202c [/] [@click=app.quit]quit[/] [red]x"
_ASKED = "500 cases for our support bot: order status, refunds, and product questions."


def plan_of(
    counts: Mapping[str, int],
    name: str = "customer_service_v1",
    description: str = "",
    axes: Mapping[str, list[str]] = AXES,
) -> DatasetPlanInput:
    return DatasetPlanInput(
        dataset_name=name,
        description="A customer-service assistant of an online shop.",
        categories=[
            DatasetCategory(
                name=category,
                description=description or f"Customers ask about {category.replace('_', ' ')}",
                count=count,
                example_inputs="Where is my order #12345?",
                expectations={"contains_order_id": True},
                attributes=dict(axes),
            )
            for category, count in counts.items()
        ],
    )


SHOP = {"order_status": 200, "refunds": 200, "product_info": 100}
HALF = {"order_status": (148, 12), "refunds": (97, 31), "product_info": (28, 2)}
WHOLE = {"order_status": (200, 16), "refunds": (200, 58), "product_info": (100, 9)}


async def begun(app: FrozenApp, counts: Mapping[str, int] = SHOP, **plan: Any) -> Script:
    script = await Script(app, plan_of(counts, **plan)).open()
    await script.say("person", _ASKED)
    await script.card()
    await script.began()
    return script


async def not_started(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await Script(app, plan_of(SHOP)).open()
    await script.say("person", _ASKED)
    await script.card()
    await script.show(pilot)


async def half_way(app: FrozenApp) -> Script:
    script = await begun(app)
    await script.write(HALF)
    await script.at_work(
        ("order_status", 14, 3.2),
        ("refunds", 6, 1.1),
        ("refunds", 0, 0.4),
        ("product_info", 19, 4.8),
        ("refunds", 12, 6),
    )
    return script


async def talk(script: Script) -> None:
    script.clock.at = NOW - 75
    await script.say("person", "Why are so many refunds turned away?")
    answer = (
        "31 refund cases were **too close** to earlier ones:\n\n"
        "- most of them repeat *one* sentence with another order number\n"
        "- `tone: impatient` gives the fewest repeats\n\n"
        "Shall I add two more tones?"
    )
    await script.say("agent", answer)


async def running(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await half_way(app)
    await talk(script)
    await script.show(pilot)


async def compared(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """The comparing stages have decided: scores of many cases, rejections at many scores, flags on some cases."""
    script = await half_way(app)
    cases = [case async for case in script.session.cases.all()]
    changes = Changes()
    for place, case in enumerate(cases[1:], 1):
        near, semantic = 0.2 + place * 37 % 45 / 100, 0.6 + 0.31 * (place * 53 % 97 / 97) ** 2
        changes.likeness.append(CaseLikeness(case.seq, near, cases[place - 1].seq, semantic, cases[place - 1].seq))
    for place, (kind, differs) in {3: ("contrast", ["quantity"]), 5: ("contradiction", []), 8: ("similar", [])}.items():
        flag = {
            "kind": kind,
            "case_id": cases[place - 2].case_id,
            "stage": "semantic",
            "score": 0.93,
            "differs": differs,
        }
        changes.edited.append(replace(cases[place], tags={**cases[place].tags, "flags": [flag]}))
    nearest = next(case for case in cases if case.category == "refunds")
    for number in range(24):
        score = 0.92 + number * 7 % 24 / 300
        text = f"Please give me my money back for the headphones, I have waited {number} weeks."
        changes.rejected.append(
            Rejection(
                seq=script.store.next_seq(),
                category="refunds",
                ordinal=130 + number,
                attempt=0,
                stage="semantic",
                reason=f"it says the same ({score:.2f})",
                text=text,
                created_at=NOW - 9,
                score=score,
                threshold=0.92,
                nearest_seq=nearest.seq,
                nearest_case_id=nearest.case_id,
                batch=40,
                candidate={"inputs": {"query": text}, "expectations": {}, "tags": {}},
            )
        )
    await script.store.commit(changes)
    await script.show(pilot)


async def draining(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await half_way(app)
    await script.pausing()
    await script.show(pilot)


async def paused(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await half_way(app)
    await talk(script)
    await script.paused(dropped=2)
    for trace in script.session.calls.live():
        script.session._context.call_log.end(trace, NOW, "cancelled")
    await script.show(pilot)


async def rate_limited(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await half_way(app)
    first = script.batch - 4
    await script.happen(ev.ConcurrencyChanged(ts=NOW - 2, limit=4, reason="rate-limited by the endpoint"))
    await script.wait_for_endpoint(first + 1, first + 2, first + 4, detail="429 Too Many Requests")
    await script.show(pilot)


async def finished(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await begun(app)
    await script.write(WHOLE)
    await script.finished()
    await script.show(pilot)


async def finished_short(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await begun(app)
    await script.write({**WHOLE, "product_info": (93, 34)}, exhausted=7)
    await script.finished()
    await script.show(pilot)


async def refused(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """The endpoint does not take the key any more."""
    script = await begun(app)
    await script.write({"order_status": (41, 2), "refunds": (38, 6), "product_info": (19, 0)}, until=NOW - 3)
    error = EndpointRefused(
        "The endpoint https://llm.example.org/v1 does not accept the API key: Incorrect API key provided.",
        "Set OPENAI_API_KEY to a valid key.",
    )
    await script.store.history.record(ev.Notice(ts=NOW, level=NoticeLevel.ERROR, text=str(error)))
    await script.paused(reason=error.problem)
    await script.say("dsbuilder", f"✗ {error}", "error", after=0)
    await script.show(pilot)


async def many_categories(app: FrozenApp, pilot: Pilot[Any]) -> None:
    names = {f"{area}_{what}": 20 * (1 + number % 3) for number, (area, what) in enumerate(
        (area, what) for area in ("orders", "refunds", "products", "account", "delivery")
        for what in ("simple", "several_intents", "typos", "angry", "adversarial")
    )}  # fmt: skip
    script = await begun(app, names)
    await script.write({name: (count * (n % 4 + 1) // 4, n % 5) for n, (name, count) in enumerate(names.items())})
    await script.at_work(*((name, 3 + n, 2.0 + n) for n, name in enumerate(list(names)[4:12])))
    await script.show(pilot)


async def long_names(app: FrozenApp, pilot: Pilot[Any]) -> None:
    counts = {
        "requests_for_a_refund_of_an_order_that_never_arrived_at_all_2026": 12_000,
        "注文の状況についての質問と返金の依頼": 8_000,
        "Beschwerden über Lieferverzögerungen im Weihnachtsgeschäft": 400,
    }
    script = await begun(app, counts, name="support_bot_for_the_whole_company_including_subsidiaries_v12")
    await script.write(dict(zip(counts, ((140, 12), (90, 30), (20, 2)), strict=True)))
    await script.at_work(*((name, 7, 3.0) for name in counts))
    await script.show(pilot)


async def hostile(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """What a model, an imported file or a damaged one might hold: none of it may act."""
    plan = plan_of({"order_status": 60}, description=f"Ask about {HOSTILE}", axes={"tone": [HOSTILE]})
    script = await Script(app, plan).open()
    script.texts = (f"Order {{n}} {HOSTILE} {{thing}}", f"{HOSTILE} {{n}}")
    await script.say("person", f"Make cases like {HOSTILE}")
    await script.card()
    await script.began()
    await script.write({"order_status": (22, 6)})
    await script.at_work(("order_status", 3, 2.0))
    await script.say("agent", f"They hold {HOSTILE} and [a link](javascript:alert) and `[/]`.")
    await script.happen(ev.Notice(ts=NOW, level=NoticeLevel.ERROR, text=HOSTILE))
    await script.say("dsbuilder", f"✗ The endpoint said: {HOSTILE}", "error", after=0)
    call = next(iter(script.view.workers.values()))
    script.view = replace(
        script.view,
        categories={**script.view.categories, HOSTILE: CategoryView(40, 3, 1, 0)},
        workers={1: call, 2: replace(call, number=2, category=HOSTILE, state="failed", detail=HOSTILE)},
        worker_model=HOSTILE,
        limit_reason=HOSTILE,
    )
    odd = Rejection(
        seq=script.store.next_seq(),
        category="order_status",
        ordinal=50,
        attempt=0,
        stage="schema",
        reason=HOSTILE,
        text=HOSTILE,
        created_at=NOW,
        batch=9,
    )
    await script.store.commit(Changes(rejected=[odd]))
    await script.show(pilot)


async def home(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """Sessions in every state they can have, and one that cannot be read."""
    root = app.config.checkpoint_root
    await settled(pilot)
    for age, (name, count, done, state, exhausted) in enumerate(
        (
            ("customer_service_v1", 500, 273, SessionState.PAUSED, 0),
            ("rag_negatives", 120, 120, SessionState.COMPLETE, 0),
            ("code_review_bot", 300, 64, SessionState.RUNNING, 0),
            ("flight_changes_es", 90, 80, SessionState.SHORT, 10),
            ("refund_edge_cases", 60, 0, SessionState.NEW, 0),
            ("support_bot_for_the_whole_company_including_subsidiaries", 12_000, 9_400, SessionState.PAUSED, 0),
        )
    ):
        script = await Script(app, plan_of({"questions": count}, name=name)).open()
        if done:
            await script.began()
            await script.write({"questions": (min(done, 300), 0)}, exhausted=exhausted)
        await script.session._files.remember(state=state)
        await script.session._files.note_status(running=False)
        await script.session.aclose()
        app.sessions.remove(script.session)
        when = NOW - (20, 4_000, 9_000, 90_000, 300_000, 900_000)[age]
        os.utime(root / script.session.id / STATUS_FILE, (when, when))
    broken = root / "half_a_copy"
    broken.mkdir()
    (broken / "session.db").write_bytes(b"SQLite format 3\x00 and then nothing")
    os.utime(broken / "session.db", (NOW - 2e6, NOW - 2e6))
    app.screen.action_reload()  # type: ignore[attr-defined]
