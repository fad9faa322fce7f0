"""What a judge and the validators say, where it is shown: F2 by verdict, F5 with the critique, F3 by category."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from tests.support.fake_judge import verdict, verdicts
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import NARROW, WIDE, User, built, studio

Plans = Callable[..., DatasetPlanInput]
EACH = pytest.mark.parametrize("size", [(200, 50), WIDE, NARROW], ids=["large", "wide", "narrow"])


async def judged(fake: FakeOpenAI, plan: DatasetPlanInput, mode: str) -> None:
    """A session whose cases were written and judged at the fake endpoint."""
    await built(plan, base_url=fake.url, api_key="k", judge=mode, judge_share=1.0, max_workers=2, batch_size=10)


def some_bad(fake: FakeOpenAI, bad: int) -> None:
    """The judge finds so many cases bad, and has no word on one."""
    found: list[str] = []

    def say(cases: list[dict[str, Any]], call: int) -> str:
        each = []
        for number, case in enumerate(cases, 1):
            text = case["inputs"]["query"]
            if text not in found and len(found) < bad + 1:
                found.append(text)
            if text in found[:bad]:
                each.append(verdict(number, "natural", reason="no user writes so", quote=" ".join(text.split()[:2])))
            elif text not in found:
                each.append(verdict(number))
        return verdicts(*each)

    fake.judge.say = lambda cases, call: say(cases, call)


async def screen(user: User, key: str, place: str) -> None:
    await user.to_work()
    await user.press(key)
    await user.at(place)


async def chosen_answer(user: User, words: str) -> None:
    """Choose this answer of the question that is shown."""
    await user.at("QuestionDialog", "answers")
    answers = [answer for answer, _ in user.app.screen._answers]  # type: ignore[attr-defined]
    await user.press(*["down"] * answers.index(words), "enter")


@EACH
async def test_cases_are_filtered_by_what_the_judge_says_and_the_why_is_shown(
    fake: FakeOpenAI, make_plan: Plans, size: tuple[int, int]
) -> None:
    some_bad(fake, 3)
    await judged(fake, make_plan(15), "sample")
    async with studio(open_first="support", size=size) as user:
        await screen(user, "f2", "CasesScreen")
        for words, finding, count in (
            ("only judged bad", Judgement.BAD, 3), ("only not judged", Judgement.NOT_JUDGED, 1),
            ("only judged good", Judgement.GOOD, 11),
        ):  # fmt: skip
            await user.press("f")
            await chosen_answer(user, words)
            await user.until(lambda count=count: user.one("#cases").count == count and user.one("#cases").chosen)
            found = verdict_of(user.one("#cases").chosen.tags)
            assert found is not None and found.finding is finding
        await user.sees("✓ judged good")
        await user.press("f")
        await chosen_answer(user, "only judged bad")
        await user.sees("✗ judged bad", "no to: natural", "why: no user writes so")


@EACH
async def test_what_the_judge_turns_away_stands_beside_its_critique(
    fake: FakeOpenAI, make_plan: Plans, size: tuple[int, int]
) -> None:
    some_bad(fake, 2)
    await judged(fake, make_plan(12), "all")
    async with studio(open_first="support", size=size) as user:
        await screen(user, "f5", "RejectedScreen")
        await user.until(lambda: user.one("#rejections").count == 2 and user.one("#rejections").chosen)
        rejection = user.one("#rejections").chosen
        assert rejection.stage == "judge"
        await user.until(lambda: user.one("#right-pane").border_title == "judge")
        critique = " ".join(rejection.reason.split()[:3])
        await user.sees("The judge found this case bad", critique, "written again")
        assert "accepted ·" not in user.text  # nothing it would be too close to


@EACH
async def test_what_the_validators_turn_away_stands_beside_their_reason(
    fake: FakeOpenAI, make_plan: Plans, size: tuple[int, int]
) -> None:
    plan = make_plan(4)
    plan = plan.model_copy(update={"validators": ({"patterns": {"must_not": ["[a-z]"]}},)})
    await built(plan, base_url=fake.url, api_key="k", judge="off", max_attempts=1, max_workers=1)
    async with studio(open_first="support", size=size) as user:
        await screen(user, "f5", "RejectedScreen")
        await user.until(lambda: user.one("#rejections").count and user.one("#rejections").chosen)
        assert user.one("#rejections").chosen.stage == "validators"
        await user.until(lambda: user.one("#right-pane").border_title == "validators")
        await user.sees("patterns:", "A rule of the plan found fault", "it expected", "polite  ")


@EACH
async def test_what_was_judged_is_told_by_category_and_with_the_persons_agreement(
    fake: FakeOpenAI, make_plan: Plans, size: tuple[int, int]
) -> None:
    some_bad(fake, 3)
    await judged(fake, make_plan(12, 8), "sample")
    async with studio(open_first="support", size=size) as user:
        bad = [case async for case in user.session.cases.all() if is_bad(case.tags)]
        await user.session.cases.annotate(bad[0].category, bad[0].ordinal, pinned=True)
        await screen(user, "f3", "CoverageScreen")
        await user.sees("judged: ")
        await user.press("tab", "end")
        await user.sees("The judge and you: kappa")
        shown = " ".join("".join(span[0] for span in line) for line in user.one("#figures")._lines)
        assert "over 1 case, 1 judged otherwise than by you" in shown
        assert "The judge read 12 cases" in shown and "The judge read 8 cases" in shown


def is_bad(tags: dict[str, Any]) -> bool:
    found = verdict_of(tags)
    return found is not None and found.finding is Judgement.BAD
