"""What a person decides about judged cases is a label: agreement, its kappa, and what is offered to the rubric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.agreement import Agreement, PersonLabel
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from dsbuilder_tui.tui.cases.paint import case_row
from dsbuilder_tui.tui.paint.case_detail import case_detail
from dsbuilder_tui.tui.rejected.paint import why
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


def _label(judge: bool, person: bool) -> PersonLabel:
    return PersonLabel(
        case_id="a-00001", text="Where?", judged_good=judge, person_good=person, reason="no user says so"
    )


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ([], None),
        ([(True, True)] * 3, 1.0),
        ([(True, True)] * 20 + [(False, False)] * 15 + [(True, False)] * 5 + [(False, True)] * 10, 0.4),
        ([(True, False), (False, True)], -1.0),
    ],
)
def test_kappa_is_cohens(pairs: list[tuple[bool, bool]], kappa: float | None) -> None:
    agreement = Agreement([_label(judge, person) for judge, person in pairs])
    assert agreement.kappa == (kappa if kappa is None else pytest.approx(kappa))
    assert agreement.as_dict()["cases"] == len(pairs)


async def test_a_persons_acts_are_labels_and_disagreements_become_examples(
    fake: FakeOpenAI, make_config: Configs, make_plan: Plans
) -> None:
    bad: list[str] = []

    def is_bad(case: dict[str, Any]) -> bool:
        text = str(case["inputs"]["query"])
        if len(bad) < 2 and text not in bad:
            bad.append(text)
        return text in bad

    fake.judge.bad = is_bad
    config = make_config(base_url=fake.url, api_key="k", judge="all", batch_size=10, max_workers=1)
    async with await Session.create(make_plan(20), config) as session:
        await session.run()
        assert (await session.verdicts.agreement()).labels == []
        first, _ = sorted(await session.rejections.newest(), key=lambda r: r.seq)
        detail = "".join(text for line in why(first, None, 60) for text, _ in line)
        assert "found this case bad" in detail

        kept = await session.cases.keep_rejected(first.seq)  # the judge: bad, the person: good
        cases = [case async for case in session.cases.all() if case.ordinal != kept.ordinal]
        await session.cases.annotate("category_1", cases[0].ordinal, pinned=True)  # good, good
        await session.cases.withdraw("category_1", cases[1].ordinal, "dull")  # good, bad
        await session.cases.edit("category_1", cases[2].ordinal, {"query": "Mended?"}, {"polite": True})  # good, bad
        await session.cases.annotate("category_1", cases[3].ordinal, note="hm")  # says nothing

        agreement = await session.verdicts.agreement()
        assert [(label.judged_good, label.person_good) for label in agreement.labels] == [
            (False, True), (True, True), (True, False), (True, False),
        ]  # fmt: skip
        assert len(agreement.disagreements) == 3 and "over 4 cases, 3 judged otherwise" in agreement.words
        examples = agreement.rubric_examples()
        assert first.text in examples and "no user writes so" in examples and cases[1].inputs["query"] in examples
        asked = len(fake.judge.asked)
        await session.run()  # what was kept is not judged again; what was edited or written anew is
        assert fake.judge.asked[asked:].count(first.text) == 0
        assert len(fake.judge.asked) == asked + 2
        still = await session.cases.get("category_1", kept.ordinal)
        assert still is not None and still.inputs == kept.inputs

        found = {
            finding: [s async for step in session.cases.search(verdict=finding) for s in step.seqs] for finding in Judgement
        }  # fmt: skip
        assert len(found[Judgement.BAD]) == 1 and len(found[Judgement.GOOD]) == 19 and not found[Judgement.NOT_JUDGED]
        (shown,) = await session.cases.by_seq(found[Judgement.BAD])
        assert verdict_of(shown.tags) is not None
        text = "\n".join("".join(part for part, _ in line) for line in case_detail(shown, (), (), 60))
        assert "judged bad by gpt-4o" in text and "no to: natural" in text and "no user writes so" in text
        assert "✗ bad" in "".join(part for part, _ in case_row(shown, 90, False, category_width=12))
