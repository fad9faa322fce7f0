"""What is painted fits: every line of every panel has its width in cells and no control character, whatever it shows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import AcceptedCase, Rejection
from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.flags import FLAG_MARKS
from dsbuilder_tui.domain.message import PlanContent, PlanPart, PlanRow
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState, WorkerState
from dsbuilder_tui.domain.runner_place import PlaceState, RunnerPlace
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES, Flip, Scores, WhatIf
from dsbuilder_tui.store.catalog import SessionListing
from dsbuilder_tui.tui.cases import paint as cases
from dsbuilder_tui.tui.home import paint as home
from dsbuilder_tui.tui.paint import chrome, word_difference
from dsbuilder_tui.tui.paint.case_detail import case_detail
from dsbuilder_tui.tui.paint.case_fields import FieldKind, case_fields
from dsbuilder_tui.tui.paint.line import Line, bar, clip, cut, fit, frame, length, pad, sides, sparkline, wrap
from dsbuilder_tui.tui.rejected import paint as duel
from dsbuilder_tui.tui.rejected import threshold_paint as whatif
from dsbuilder_tui.tui.studio import paint as panels
from dsbuilder_tui.tui.studio import plan_card_paint as card
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.workers.paint import place_row
from dsbuilder_tui.view import Point, RunView, Turned, WorkerView
from dsbuilder_tui.wording import rate_words

BAD = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)

PIECES = st.sampled_from(
    ["a", "Z ", "漢字", "かな", "한글", "é", "e\u0301", "🚀", "👩‍👩‍👧", "🇩🇪", "✌🏽", "ﷺ", "עברית", "\x1b[31m", "\x07", "\u202e", "\u200b",
     "\t", "\n", "\r", "\x9b", "\x00", "[red]", "⟦", "word ", "   ", "─", "１２", "\u2028", "\ufeff"]
)  # fmt: skip
TEXT = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60))
SMALL = st.lists(PIECES, min_size=1, max_size=8).map("".join)
WIDTHS = st.integers(1, 160)
PANEL_WIDTHS = st.integers(20, 200)
COUNTS = st.integers(0, 10**7)


def clean(line: Line) -> None:
    assert not BAD.search("".join(span[0] for span in line)), line


def exact(lines: list[Line], width: int, height: int) -> None:
    assert len(lines) <= height
    for line in lines:
        clean(line)
        assert length(line) == width, (length(line), width, line)


def within(lines: list[Line], width: int) -> None:
    for line in lines:
        clean(line)
        assert length(line) <= width, (length(line), width, line)


# The pieces


@given(TEXT, WIDTHS, st.sampled_from(["left", "right"]))
@QUICK
def test_fit_is_exact_and_clip_at_most(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width
    assert cell_len(clip(text, width)) <= width
    assert not BAD.search(fit(text, width) + clip(text, width))


def test_fit_says_where_something_was_lost() -> None:
    assert fit("abcdef", 4) == "abc…" and fit("abcd", 4) == "abcd" and fit("ab", 4) == "ab  "
    assert fit("ab", 4, "right") == "  ab" and fit("漢字漢字", 5) == "漢字…" and fit("漢字漢字", 4) in ("漢… ", "漢…")
    assert fit("x", 0) == "" and fit("xy", 1) == "…" and clip("a  \n b", 9) == "a b"


@given(TEXT, st.integers(2, 120))
@QUICK
def test_wrap_loses_nothing_and_keeps_to_the_width(text: str, width: int) -> None:
    rows = wrap(text, width)
    assert all(cell_len(row) <= width for row in rows)
    assert not any(BAD.search(row) for row in rows)
    said = lambda s: "".join(c for c in s if not c.isspace() and cell_len(c))  # noqa: E731
    from dsbuilder_tui.domain.sanitise import visible

    assert said("".join(rows)) == said(visible(text))


@given(st.lists(st.tuples(TEXT.map(lambda t: fit(t, cell_len(clip(t, 50)))), st.just("text")), max_size=6), WIDTHS)
@QUICK
def test_cut_pad_sides_and_frame_keep_to_the_width(spans: list[tuple[str, str]], width: int) -> None:
    line = tuple(spans)
    assert length(cut(line, width)) <= width and length(pad(line, width)) == width
    assert length(sides(line[:2], line[2:], width)) == width
    if width >= 8:
        box = frame([line] * 3, width, 6, title=line[:2], info=line[2:4], hint=line[4:])
        assert len(box) == 6
        exact(box, width, 6)


@given(COUNTS, COUNTS, st.integers(-2, 120), COUNTS)
@QUICK
def test_bars_are_as_long_as_they_should_be(done: int, total: int, width: int, lost: int) -> None:
    assert length(bar(done, total, width, exhausted=lost)) == max(0, width)


def test_a_bar_is_full_only_when_all_is_there() -> None:
    drawn = lambda done, total, **more: "".join(s[0] + s[1][0] for s in bar(done, total, 10, **more))  # noqa: E731
    assert drawn(10, 10) == "━" * 10 + "a" and drawn(0, 10) == "─" * 10 + "t"
    assert drawn(999_999, 1_000_000) != drawn(10, 10)
    assert drawn(1, 1_000_000) != drawn(0, 10) and "╌" in drawn(5, 10, exhausted=1)


@given(st.lists(st.floats(0, 1e6), max_size=40).map(sorted), st.floats(0, 1e6), st.integers(1, 60))
@QUICK
def test_sparklines_have_their_width(arrivals: list[float], now: float, width: int) -> None:
    assert cell_len(sparkline(arrivals, now, width)) == width


# The panels

CATEGORY = st.builds(CategoryView, COUNTS, COUNTS, COUNTS, st.integers(0, 1000))
WORKER = st.builds(
    WorkerView, st.integers(1, 2000), st.integers(1, 10**6), SMALL, st.integers(1, 500), st.floats(0, 5000), st.integers(0, 9),
    st.sampled_from([*WorkerState, *CallOutcome]), st.integers(0, 600),
    st.floats(0, 9999), st.sampled_from([None, *FailureKind]), st.floats(0, 99999), TEXT,
    st.lists(st.floats(0, 5000), max_size=8).map(lambda a: tuple(sorted(a))),
    st.sampled_from(CallRole),
)  # fmt: skip
TURNED = st.builds(
    Turned, st.floats(0, 2e9), COUNTS, SMALL, st.sampled_from(["structural", "near", "semantic", "person", "schema"]), TEXT, TEXT,
    st.none() | st.floats(0, 1), st.none() | SMALL.map(lambda s: f"{s}-00012"),
)  # fmt: skip
VIEW = st.builds(
    RunView, session=TEXT, dataset_name=TEXT, provider=st.sampled_from(["offline", "openai"]), worker_model=TEXT,
    state=st.sampled_from(RunState), planned=COUNTS, accepted=COUNTS,
    rejected=COUNTS, exhausted=st.integers(0, 99), categories=st.dictionaries(SMALL, CATEGORY, max_size=15),
    workers=st.lists(WORKER, max_size=15).map(lambda ws: {w.number: w for w in ws}), workers_limit=st.integers(0, 2000),
    limit_reason=TEXT, feed=st.lists(TURNED, max_size=8).map(tuple), started=st.floats(0, 5000),
    points=st.lists(st.builds(Point, st.integers(1, 999), COUNTS, TEXT, st.floats(0, 2e9)), max_size=40).map(
        lambda ps: tuple(sorted(ps, key=lambda p: p.accepted))
    ),
    samples=st.sampled_from([(), ((1.0, 0), (9.0, 800))]), prompt_tokens=COUNTS,
    worker_dollars=st.sampled_from([0.0, 0.0042, 12.5]), unpriced=st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("streaming", "waiting", "limit", "said"),
    [(3, 1, 6, "Workers 4 of 6"), (6, 2, 6, "Workers 6 of 6"), (4, 1, 2, "Workers 5 · at most 2 from now on")],
)
def test_those_that_wait_are_not_too_many(streaming: int, waiting: int, limit: int, said: str) -> None:
    states = [WorkerState.STREAMING] * streaming + [WorkerState.WAITING] * waiting
    workers = {
        n: WorkerView(number=n, batch=n, category="a", size=4, started=0.0, state=state, retry_at=100.2)
        for n, state in enumerate(states, 1)
    }
    lines = panels.workers_panel(RunView(workers=workers, workers_limit=limit), 80, 14, 100.0, focused=False)
    told = ["".join(text for text, *_ in line) for line in lines]
    assert said in told[0] and any("a moment" in line for line in told)


@given(VIEW, PANEL_WIDTHS, st.integers(1, 40), st.booleans(), st.booleans())
@QUICK
def test_every_panel_fits(view: RunView, width: int, height: int, focused: bool, grown: bool) -> None:
    tall = height if height >= 3 else 1
    exact(panels.plan_panel(view, width, height, focused=focused, grown=grown), width, tall)
    exact(panels.workers_panel(view, width, height, 6000, focused=focused, pace=60, opens=grown), width, tall)
    exact(panels.checkpoints_panel(view, width, height, focused=focused, interval=50 if grown else None), width, tall)
    exact(panels.rejected_panel(view, width, height, focused=focused, opens=grown), width, tall)


@given(VIEW, PANEL_WIDTHS, TEXT)
@QUICK
def test_header_keys_and_tabs_fit(view: RunView, width: int, words: str) -> None:
    shown = clip(words, 30)
    exact([chrome.header(view, width, 6000, models=shown, mode=shown, screen="Cases", budget=5.0)], width, 1)
    keys = [chrome.Key(key, shown, "x") for key in ("esc", "^P", "F2", "F1", "^Q", "a", "b", "c")]
    exact([chrome.key_bar(keys, width)], width, 1)
    kept = [
        chrome.Key(key, "words", "x", key in ("del", "esc", "^Q")) for key in ("a", "b", "c", "del", "d", "esc", "^Q")
    ]
    bar = [span[0] for span in chrome.key_bar(kept, width)]
    assert width < 40 or {"del", "esc", "^Q"} <= set(bar)
    names = ("Talk", "Plan", "Workers", "Checkpoints", "Rejected")
    exact([chrome.tab_bar(names, 2, ["", "55 %", "3", "12", "1000"], width)], width, 1)


@given(
    st.lists(st.tuples(SMALL, COUNTS, st.none() | COUNTS, st.integers(0, 9), COUNTS), max_size=20), st.integers(24, 160)
)
@QUICK
def test_cards_fit(rows: list[tuple[str, int, int | None, int, int]], width: int) -> None:
    names = ("name", "count", "was", "axes", "combinations")
    content = PlanContent(
        revision=3,
        planned=10**6,
        rows=tuple(PlanRow.model_validate(dict(zip(names, row, strict=True))) for row in rows),
        changed=True,
    )
    for state in CardState:
        choices = ("approve", "edit", "change")
        lines = card.plan_card(content, width, state=state, choices=choices, marked=0, focused=True)
        exact(lines, width, card.card_height(content))


PART = st.builds(
    PlanPart, subject=TEXT, kept=st.lists(TEXT, max_size=4).map(tuple), removed=st.lists(TEXT, max_size=3).map(tuple),
    added=st.lists(TEXT, max_size=3).map(tuple), more=st.integers(0, 9),
)  # fmt: skip


@given(st.lists(PART, max_size=20), st.lists(PART, max_size=4), st.integers(24, 160), st.booleans())
@QUICK
def test_what_a_plan_says_fits_folded_and_open(
    axes: list[PlanPart], differences: list[PlanPart], width: int, folded: bool
) -> None:
    content = PlanContent(rows=(), axes=tuple(axes), differences=tuple(differences))
    lines = card.plan_card(
        content, width, state=CardState.OPEN, choices=("approve",), marked=0, focused=True, folded=folded
    )
    exact(lines, width, card.card_height(content) if folded else len(lines))


def test_a_change_is_told_as_what_goes_and_comes() -> None:
    tone = PlanPart(subject="tone", kept=("calm",), removed=("neutral", "polite"), added=("angry",))
    content = PlanContent(rows=(), axes=(tone, PlanPart(subject="channel", kept=("chat", "mail"))))
    shown = {}
    for folded in (True, False):
        lines = card.plan_card(content, 80, state=CardState.OPEN, choices=(), marked=None, focused=False, folded=folded)
        shown[folded] = "\n".join("".join(span[0] for span in line) for line in lines)
    assert "tone: −neutral −polite +angry" in shown[True] and "channel 2" in shown[True] and "^O all" in shown[True]
    assert "tone: −neutral −polite +angry calm" in shown[False] and "channel: chat, mail" in shown[False]


# What expectations may hold: texts, facts, tool calls, turns of a conversation, and anything else.
CALL = st.fixed_dictionaries({"name": SMALL}, optional={"arguments": st.dictionaries(SMALL, TEXT | COUNTS, max_size=2)})
TURN = st.fixed_dictionaries({"role": SMALL, "content": TEXT})
VALUE = (
    TEXT | st.booleans() | COUNTS | st.lists(TEXT, max_size=3) | st.lists(CALL, max_size=2) | st.lists(TURN, max_size=2)
)
VALUE = VALUE | st.dictionaries(SMALL, VALUE, max_size=2)
CASE = st.builds(
    AcceptedCase, COUNTS, SMALL, st.integers(1, 99999), st.dictionaries(SMALL, VALUE, min_size=1, max_size=3),
    st.dictionaries(SMALL | st.sampled_from(list(MlflowKey)), VALUE, max_size=3), st.fixed_dictionaries({"attributes": st.dictionaries(SMALL, SMALL, max_size=3), "note": TEXT, "pinned": st.booleans()}),
    st.floats(0, 2e9), damaged=st.booleans(),
)  # fmt: skip
REJECTION = st.builds(
    Rejection, COUNTS, SMALL, st.integers(1, 99999), st.integers(0, 9), st.sampled_from(["structural", "near", "odd"]), TEXT, TEXT,
    st.floats(0, 2e9), st.none() | st.floats(0, 1), st.none() | st.floats(0.1, 0.99), st.none(), st.none() | SMALL,
)  # fmt: skip


NO_PLAN = DatasetPlanInput.undecided("none")


@given(CASE)
@QUICK
def test_a_value_that_is_not_edited_stays_what_it_is_whatever_it_is(case: AcceptedCase) -> None:
    for field in case_fields(NO_PLAN, case):
        clean(((field.text.replace("\n", " ").replace("\t", " "), "text"),))
        assert field.read(field.text) == field.value
        # As though it had been typed anew: what the kind reads is what the kind shows.
        blank = replace(field, value=None)
        if field.text.strip() and field.kind is not FieldKind.TURNS:
            assert blank.read(field.text) == field.value


@given(CASE, REJECTION, TEXT, st.integers(16, 160))
@QUICK
def test_rows_and_details_of_cases_fit(case: AcceptedCase, rejection: Rejection, text: str, width: int) -> None:
    for category in (0, 12, 20):
        within([cases.case_row(case, max(30, width), True, category_width=category)], max(30, width))
    within(case_detail(case, case_fields(NO_PLAN, case), (), width), width)
    flags = [{"kind": kind, "case_id": text, "stage": text, "score": 0.9, "differs": [text]} for kind in FLAG_MARKS]
    flagged = replace(case, tags={**case.tags, "flags": flags, text: {text: [text]}})
    within([cases.case_row(flagged, max(30, width), True, category_width=12)], max(30, width))
    within(case_detail(flagged, case_fields(NO_PLAN, flagged), (), width), width)
    within([duel.rejection_row(rejection, max(24, width), False)], max(24, width))
    within(duel.why(rejection, replace(case, damaged=False), max(24, width)), max(24, width))
    clean(((duel.about(rejection, case), "text"),))
    left, right = word_difference.word_diff(rejection.text, text)
    within(word_difference.side(left, width, "warn"), width)
    within(word_difference.side(right, width, "info"), width)


FLIP = st.builds(
    Flip,
    COUNTS,
    SMALL,
    st.integers(1, 99999),
    TEXT,
    st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none(),
    st.none() | SMALL,
)
HUNDREDTHS = st.lists(COUNTS, min_size=100, max_size=100).map(tuple)
WHAT_IF = st.builds(
    WhatIf, st.sampled_from(LIKENESS_STAGES), st.integers(1, 100).map(lambda n: n / 100), st.none() | SMALL, COUNTS, COUNTS,
    COUNTS, COUNTS, st.lists(FLIP, max_size=4).map(tuple), st.lists(FLIP, max_size=4).map(tuple),
    st.builds(Scores, HUNDREDTHS, HUNDREDTHS),
)  # fmt: skip


@given(WHAT_IF, st.floats(0.01, 1), st.integers(16, 160))
@QUICK
def test_a_threshold_on_its_scale_fits(found: WhatIf, now: float, width: int) -> None:
    whole = replace(found, passing=found.passing if found.passes else 0, falling=found.falling if found.falls else 0)
    for shown in (whole, None, replace(whole, rejected=0, accepted=0)):
        within(whatif.strip(found.stage, now, found.threshold, found.category, shown, width), width)


def test_the_scale_shows_both_sides_and_the_threshold() -> None:
    def counts(**at: int) -> tuple[int, ...]:
        return tuple(at.get(f"s{n}", 0) for n in range(100))

    found = WhatIf(
        stage="semantic",
        threshold=0.9,
        category=None,
        passing=1,
        rejected=2,
        falling=3,
        accepted=4,
        passes=(),
        falls=(),
        scores=Scores(counts(s80=1, s95=1), counts(s70=1, s99=9)),
    )
    _, head, _, above, axis, below, label, _, *told = (
        "".join(span[0] for span in line) for line in whatif.strip("semantic", 0.92, 0.9, None, found, 55)
    )
    assert head == "semantic threshold 0.92 → 0.90   all categories"
    assert above == "turned away " + " " * 10 + "█" + " " * 14 + "█" + " " * 4
    assert (
        axis == "       0.70 " + "─" * 20 + "┃─┊" + "─" * 7 + " 1.00"
        or axis.replace(" ", "") == "0.70" + "─" * 20 + "┃─┊" + "─" * 7 + "1.00"
    )
    assert below == "let in      " + "▃" + " " * 28 + "█" and label.index(".90") == 31
    assert " ".join(told[:3]).startswith(
        "At 0.90: 1 of 2 semantic rejections would have passed this stage, 3 of 4 accepted cases with a score would"
    )


def test_one_is_one_on_the_card_of_a_plan() -> None:
    row = PlanRow(name="refunds", count=1, axes=2, combinations=1)
    lines = card.plan_card(
        PlanContent(revision=1, planned=1, rows=(row,)),
        90,
        state=CardState.OPEN,
        choices=("approve",),
        marked=0,
        focused=True,
    )
    text = "\n".join("".join(span[0] for span in line) for line in lines)
    assert "1 combination" in text and "1 case" in text and not re.search(r"\b1 (combinations|cases)", text)


@pytest.mark.parametrize(("seconds", "words"), [(60.0, "1 case/min"), (30.0, "2 cases/min"), (0.05, "20 cases/s")])
def test_one_is_one_in_a_rate(seconds: float, words: str) -> None:
    assert rate_words(RunView(samples=tuple((n * seconds, n) for n in range(30)))) == words


@given(SMALL, TEXT, st.sampled_from(list(SessionState)), COUNTS, st.integers(30, 160))
@QUICK
def test_sessions_in_the_list_fit(name: str, model: str, state: SessionState, count: int, width: int) -> None:
    listing = SessionListing(
        id=name,
        dataset_name=name,
        state=state,
        accepted=count,
        planned=10**6,
        rejected=1,
        exhausted=2,
        provider="openai",
        worker_model=model,
        created_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        path="/x",
        problem=model,
    )
    within([home.session_row(listing, width, 1.8e9, chosen=True)], width)


def test_the_header_says_what_was_spent_and_drops_the_forecast_first() -> None:
    view = RunView(
        session="shop", state=RunState.RUNNING, planned=100, accepted=50, prompt_tokens=9000, worker_dollars=0.37,
        agent_dollars=0.05,
    )  # fmt: skip

    def said(width: int, budget: float | None = 5.0) -> str:
        return "".join(span[0] for span in chrome.header(view, width, 0.0, models="", budget=budget))

    assert "$0.42 of $5.00 → ~$0.79" in said(120) and "tokens" not in said(120)
    assert "$0.42 → ~$0.79" in said(120, None)
    assert "$0.42 of $5.00" in said(52) and "→" not in said(52)
    assert "$" not in said(36)
    roles = {span[0].strip(): span[1] for span in chrome.header(view, 120, 0.0, models="", budget=0.42)}
    assert roles["$0.42 of $0.42 → ~$0.79"] == "warn"


@pytest.mark.parametrize("width", [20, 40, 76, 160])
@pytest.mark.parametrize("state", list(PlaceState))
def test_a_node_of_a_cluster_fits_and_says_its_state(state: PlaceState, width: int) -> None:
    place = RunnerPlace(
        name="gpu-\x1b[31m" + "a" * 60, state=state, calls=12_345, done=10**7, given_again=3, detail="no\nroute " * 20
    )
    line = place_row(place, width)
    text = "".join(span[0] for span in line)
    assert cell_len(text) <= width and not BAD.search(text)
    assert width < 40 or state in text
