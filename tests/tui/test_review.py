"""The review screen: what deserves a look, a key for each decision, the way back, and what it comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.judging import TAG, Judgement, Verdict
from dsbuilder_tui.domain.review import ReviewDecision, ReviewItem, ReviewReason
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.store.rows import CaseVerdict, Changes
from dsbuilder_tui.tui.paint.line import length
from dsbuilder_tui.tui.review.paint import reason_words, summary_lines
from dsbuilder_tui.tui.review.review_pass import ReviewPass, ReviewRequest, read_request
from tests.support.studio import NARROW, StandingClock, User, built, covers, studio

PLAN = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(name="orders", count=8, example_inputs="Where is my order #12345?"),
        DatasetCategory(name="refunds", count=4, example_inputs="I want my $20 back"),
    ],
)


async def judged_shop() -> None:
    """A finished session in which the judge has read some cases, and one is close to another."""
    await built(PLAN)
    async with await Session.open("shop", load_config(max_dataset_size=1_000_000)) as session:
        store = session._context.files.store
        edited, verdicts = [], []
        for ordinal, finding in ((2, Judgement.BAD), (3, Judgement.GOOD), (5, Judgement.GOOD)):
            case = await session.cases.get("orders", ordinal)
            assert case is not None
            verdict = Verdict(
                finding, reason="no user says so", failed=("natural",) if finding == "bad" else (), model="j"
            )
            edited.append(replace(case, tags={**case.tags, TAG: verdict.as_tag()}))
            verdicts.append(
                CaseVerdict(store.next_seq(), "orders", ordinal, case.seq, case.inputs, case.expectations, verdict, 1.0)
            )
        close = await session.cases.get("orders", 4)
        assert close is not None
        flag = {"kind": "contradiction", "case_id": "orders-00001", "stage": "structural", "score": 1.0}
        await store.commit(Changes(edited=[replace(close, tags={**close.tags, "flags": [flag]})], verdicts=verdicts))


async def decide(user: User, *keys: str) -> None:
    """Press keys as somebody who has looked at the case."""
    await user.until(lambda: user.app.screen._ready_at < float("inf") and not user.app.screen._deciding)  # type: ignore[attr-defined]
    await user.pilot.pause()
    user.app.clock.skip(1)  # type: ignore[attr-defined]
    await user.press(*keys)


@covers("Studio", "f8")
@covers("Review", "y", "n", "e", "s", "b", "left", "right", "a", "m", "tab", "escape")
async def test_a_review_from_the_first_case_to_its_end() -> None:
    await judged_shop()
    async with studio(open_first="shop", size=NARROW) as user:
        await user.at("StudioScreen")
        await user.press("f8")
        await user.at("ReviewScreen", "reviewed")
        await user.sees("1 of 12", "contradiction", "the same text as orders-00001", "orders-00004")
        await user.press("y")  # what is typed as it comes was meant for the prompt
        await user.pilot.pause()
        assert "1 of 12" in user.text and await user.session.review.labels() == []
        await user.press("tab")
        await user.at("ReviewScreen", "beside")
        await user.press("tab")
        await user.at("ReviewScreen", "reviewed")

        await decide(user, "n")
        await user.at("Ask", "line")
        await user.write("which is true?\n")
        await user.sees("2 of 12", "judged bad", "The judge found it bad")
        assert await user.session.cases.get("orders", 4) is None, "its slot is open again"
        await decide(user, "n")
        await user.at("Ask")
        await user.press("escape")  # not after all
        await user.at("ReviewScreen")
        await decide(user, "y")
        await user.sees("3 of 12", "1 kept", "0 of 1 as you")

        await decide(user, "b")
        await user.sees("2 of 12", "kept by you", "another key decides anew")
        await decide(user, "left")
        await user.sees("1 of 12", "It is taken out", "rejected by you: which is true?")
        await decide(user, "right", "right")
        await user.sees("3 of 12")
        await decide(user, "b", "b")
        await user.sees("1 of 12", "It is taken out")
        await decide(user, "y")  # brought back, and on to what is undecided
        await user.sees("3 of 12", "2 kept")
        assert (await user.session.cases.get("orders", 4)) is not None

        item = user.app.screen._pass.item  # type: ignore[attr-defined]
        await decide(user, "e")
        await user.at("CasesScreen")
        await user.until(lambda: user.focus != "cases")
        await user.write("Mended: ")
        await user.press("ctrl+s")
        await user.at("ReviewScreen")
        await user.sees("4 of 12", "1 edited")
        case = await user.session.cases.get(item.category, item.ordinal)
        assert case is not None and case.tags["edited"] and str(case.inputs["query"]).startswith("Mended: ")

        item = user.app.screen._pass.item  # type: ignore[attr-defined]
        await decide(user, "e")
        await user.at("CasesScreen")
        await user.until(lambda: user.focus != "cases")
        await user.press("escape")  # nothing was changed: nothing is decided
        await user.at("ReviewScreen")
        await user.sees("4 of 12")
        await decide(user, "s")
        await user.sees("5 of 12", "1 skipped")
        for number in range(6, 13):
            await decide(user, "y")
            await user.sees(f"{number} of 12")
        await decide(user, "y")
        await user.sees("You have looked at 11 cases", "The judge agreed with", "--examples", "skipped (1 case)")
        await user.press("m")
        await user.sees("Nothing here waits for a look", "skipped (1 case)")
        await user.press("a")
        await user.sees("1 of 1", item.case_id)
        await decide(user, "y")
        await user.sees("You have looked at 1 case")
        await user.press("escape")
        await user.at("StudioScreen")
        decisions = [label.decision for label in await user.session.review.labels()]
        assert decisions.count(ReviewDecision.KEPT) == 11 and decisions.count(ReviewDecision.EDITED) == 1


async def test_by_command_of_a_category_and_what_goes_meanwhile_is_passed_over() -> None:
    await judged_shop()
    clock = StandingClock()
    async with studio(open_first="shop", size=(200, 50), clock=clock) as user:
        await user.at("StudioScreen", "prompt")
        await user.command("/review 3 refunds")
        await user.at("ReviewScreen", "reviewed")
        await user.sees("1 of 3", "refunds-", "decided")
        gone = user.app.screen._pass._items[1]  # type: ignore[attr-defined]
        await user.session.cases.withdraw(gone.category, gone.ordinal)
        await decide(user, "y")
        await user.sees("2 of 2", "✓ refunds-")
        await user.press("escape")
        await user.command("let me review 2 refunds")  # in words, with no model
        await user.at("ReviewScreen")
        await user.sees("1 of 2", "refunds-")
        clock.skip(0.5)
        await user.write("yes ")  # somebody types on
        clock.skip(0.5)
        await user.write("y")
        await user.sees("1 of 2")
        await user.press("escape")
        await user.said("2 cases to review")
        await user.command("/review reefunds")
        await user.at("ReviewScreen")
        await user.until(lambda: "There is no category 'reefunds'" in user.told)
        await user.until(lambda: user.app.screen._pass.item)  # type: ignore[attr-defined]
        held = user.app.screen._pass.item  # type: ignore[attr-defined]
        await decide(user, *["y"] * 5)  # a key that is held down decides nothing that was not seen
        await user.sees("2 of ")
        labels = [label for label in await user.session.review.labels() if label.seq == held.seq]
        assert [label.decision for label in labels] == [ReviewDecision.KEPT]


def test_what_is_asked_for_is_a_category_a_number_or_both() -> None:
    names = ["refunds", "2 fast", "orders"]
    assert read_request("", names) == ReviewRequest()
    assert read_request("20", names) == ReviewRequest(None, 20)
    assert read_request("Refunds 7", names) == read_request("7 refunds", names) == ReviewRequest("refunds", 7)
    assert read_request("2 fast", names) == ReviewRequest("2 fast")
    with pytest.raises(InputError, match="no category 'x␛"):
        read_request("x\x1b[2J", names)


def _decided(*decisions: tuple[ReviewDecision, Judgement | None]) -> ReviewPass:
    items = [
        ReviewItem(seq=n, category="c", ordinal=n, reason=ReviewReason.SAMPLE) for n in range(1, len(decisions) + 1)
    ]
    found = ReviewPass(items)
    for item, (decision, judged) in zip(items, decisions, strict=True):
        found.decided(item, decision, judged)
    return found


@pytest.mark.parametrize("width", [30, 76, 190])
def test_the_end_says_what_it_came_to(width: int) -> None:
    kept, rejected, good, bad = ReviewDecision.KEPT, ReviewDecision.REJECTED, Judgement.GOOD, Judgement.BAD
    tally = _decided(*[(kept, good)] * 17, *[(kept, bad)] * 8, (rejected, good), (ReviewDecision.SKIPPED, bad)).tally
    lines = summary_lines(
        tally,
        width,
        running=False,
        anything_left=True,
        skipped_before=2,
        judge_examples="dsbuilder judge shop --examples",
    )
    text = " ".join(" ".join("".join(span[0] for span in line) for line in lines).split())
    assert all(length(line) <= width for line in lines)
    assert "agreed with 17 of 26" in text and "and 4 more" in text
    assert width == 30 or ("25 kept, 1 rejected, 1 skipped" in text and "skipped (3 cases)" in text and "^P" in text)


def test_every_reason_is_a_sentence() -> None:
    for reason in ReviewReason:
        item = ReviewItem(
            seq=1,
            category="c",
            ordinal=1,
            reason=reason,
            other="c-00002",
            stage="near",
            score=0.6,
            threshold=0.7,
            attempts=3,
        )
        assert reason_words(item, None).endswith((".", "?"))
