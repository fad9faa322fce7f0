"""A comparing stage of a plug-in: named by settings and plans, judged after the built-in ones, and the same after resuming."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.thresholds import Rules, plug_in_stages, rules_for
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.events import CaseRejected, Event, Notice, RunPaused
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.tui.rejected.paint import why
from dsbuilder_tui.tui.rejected.threshold_paint import no_threshold
from tests.support.plug_ins import install_plug_in, plugged_in

Configs = Callable[..., DatasetBuilderConfig]

MODULE = """
from pathlib import Path

from dsbuilder_tui.diversity.comparing_stage import TextStage


class Endings:
    # Likeness is the share of the last four words that is the same, from the end.
    def __init__(self):
        self._known = []

    def admit(self, row, case):
        self._known.append((row, case.masked.split()[::-1][:4]))

    def nearest(self, case):
        own = case.masked.split()[::-1][:4]
        scored = [(sum(a == b for a, b in zip(own, words)) / 4, row) for row, words in self._known]
        return [(row, score) for score, row in sorted(scored, key=lambda one: (-one[0], one[1]))]


class Fragile(Endings):
    def nearest(self, case):
        if Path(__file__).with_name("broken").exists():
            raise KeyError("the index")
        return super().nearest(case)


class Wild(Endings):
    def nearest(self, case):
        return [(row, 7.0) for row, _ in super().nearest(case)]


WORDS = dict(label="same ending", meaning="The two end with the same words.", threshold=0.75)
ENDING = TextStage(**WORDS, make=Endings)
LOOSE = TextStage(**WORDS, make=Endings, guarded=False)
FRAGILE = TextStage(**WORDS, make=Fragile)
WILD = TextStage(**WORDS, make=Wild)
"""
ENTRIES = """[dsbuilder.stages]
ending = endings:ENDING
loose = endings:LOOSE
fragile = endings:FRAGILE
wild = endings:WILD
gone = endings:NOTHING
near = endings:ENDING
"""
TEXTS = (
    "Can you tell me the delivery state of my parcel",
    "I would like to hear about the colour of my parcel",
    "Whatever happened to the invoice address of my parcel",
    "Please cancel what I have ordered",
    "Somebody asks about the weight of my parcel",
)


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Path]:
    """An installed package with stages, good ones and broken ones."""
    folder = install_plug_in(tmp_path / "site", "endings", {"endings": MODULE}, ENTRIES)
    with plugged_in(folder, STAGES):
        yield folder


def asked(text: str, *stages: str, category: str = "c", **thresholds: float) -> Question:
    return Question(category, text, {}, Rules(frozenset(stages or ("ending",)), thresholds=thresholds))


def decided(answers: list[Answer]) -> list[tuple[int, str, float] | None]:
    return [(a.match.row, a.match.stage, a.match.threshold) if a.match else None for a in answers]


def plan_of(count: int, **diversity: object) -> DatasetPlanInput:
    category = {"name": "c", "count": count, "example_inputs": "Where is my order?", "diversity": diversity or "on"}
    return parse_plan({"dataset_name": "d", "categories": [category]})


def test_it_judges_by_its_threshold_within_its_scope(packages: Path) -> None:
    comparer = Comparer(None, plug_ins=["ending"])
    assert decided(comparer.judge([asked(text) for text in TEXTS])) == [
        None, (0, "ending", 0.75), (0, "ending", 0.75), None, (0, "ending", 0.75),
    ]  # fmt: skip
    assert decided(comparer.judge([asked(TEXTS[1], category="other"), asked(TEXTS[1], ending=0.9)])) == [None, None]
    assert decided(comparer.judge([asked(TEXTS[1], "near", "structural")])) == [(3, "structural", 1.0)]


def test_built_in_stages_come_first_and_have_the_word(packages: Path) -> None:
    comparer = Comparer(None, plug_ins=["ending"])
    rules = ("structural", "ending")
    answers = comparer.judge([asked(TEXTS[0], *rules), asked(TEXTS[0].upper(), *rules), asked(TEXTS[1], *rules)])
    assert [a.match and (a.match.stage, a.match.reason) for a in answers] == [
        None,
        ("structural", "the same text apart from ids, dates, names or other detail"),
        ("ending", "same ending (0.75)"),
    ]


def test_a_contrast_is_kept_apart_unless_the_stage_says_otherwise(packages: Path) -> None:
    for stage, kept in (("ending", True), ("loose", False)):
        comparer = Comparer(None, plug_ins=["ending", "loose"])
        _, second = comparer.judge(
            [asked("I want the colour of my parcel", stage), asked("I do not want the colour of my parcel", stage)]
        )
        assert (second.match is None) is kept
        assert [(flag.kind, flag.stage) for flag in second.flags] == ([("contrast", stage)] if kept else [])


def test_a_window_holds_for_it_too(packages: Path) -> None:
    other = [asked(word) for word in ("Hats are nice to wear", "Socks can be very warm", "Gloves never fit me well")]
    narrow, wide = Comparer(None, window=2, plug_ins=["ending"]), Comparer(None, window=9, plug_ins=["ending"])
    answers = [comparer.judge([asked(TEXTS[0]), *other, asked(TEXTS[1])])[-1] for comparer in (narrow, wide)]
    assert decided(answers) == [None, (0, "ending", 0.75)]


def test_what_is_taken_in_again_gives_the_same_answers(packages: Path) -> None:
    live = Comparer(None, plug_ins=["ending"])
    live.judge([asked(text) for text in (TEXTS[0], TEXTS[3])])
    again = Comparer(None, plug_ins=["ending"])
    rows = again.remember([asked(text) for text in (TEXTS[0], TEXTS[3])])
    again.index(np.arange(len(rows)), ["c", "c"])
    again.recall(rows, [asked(text) for text in (TEXTS[0], TEXTS[3])])
    rest = [asked(text) for text in (*TEXTS, "Once more the state of my parcel")]
    assert decided(again.judge(rest)) == decided(live.judge(rest)) != [None] * len(rest)


def test_settings_and_plans_name_it(packages: Path, make_config: Configs) -> None:
    config = make_config(diversity_stages="ending, near", stage_thresholds='{"ending": 0.8}')
    assert config.diversity_stages == ("near", "ending")
    own = parse_plan(plan_of(3, stages=["loose", "near", "structural"], thresholds={"loose": 0.5}).model_dump())
    rules = rules_for(config, own.categories[0])
    assert rules.thresholds == {"ending": 0.8, "loose": 0.5} and plug_in_stages([rules]) == ("loose",)
    assert plug_in_stages([rules_for(config), rules]) == ("ending", "loose")
    assert own.categories[0].stages == ("structural", "near", "loose")
    with pytest.raises(ValueError, match=r"psychic.*structural, near, semantic, ending"):
        make_config(diversity_stages="psychic")
    for wrong in ({"near": 0.5}, {"ending": 0.0}, {"ending": 2}):
        with pytest.raises(PlanError, match="thresholds"):
            plan_of(3, thresholds=wrong)
    assert "thresholds" not in plan_of(3, near=0.5).model_dump_json()


async def test_a_plan_with_one_that_is_not_there(make_config: Configs) -> None:
    for own in ({"stages": ["near", "psychic"]}, {"thresholds": {"psychic": 0.4}}):
        with pytest.raises(
            PlanError, match=r"categories\[0\]\.diversity.*psychic.*choose from structural, near, semantic"
        ):
            await Session.create(plan_of(3, **own), make_config())


async def build(
    config: DatasetBuilderConfig, plan: DatasetPlanInput, pauses: int = 0
) -> tuple[list[str], list[tuple[object, ...]]]:
    """The cases and rejections of a session that is closed and opened again at each pause."""
    told: list[Event] = []
    left = pauses
    session = await Session.create(plan, config)
    while True:
        async with session:

            def listen(event: Event, session: Session = session) -> None:
                nonlocal left
                told.append(event)
                if left and event.type in ("batch_started", "case_rejected"):
                    left -= 1
                    session.request_pause(Pause("a test"))
                    session.drop_in_flight()

            session.subscribe(listen)
            state = await session.run()
            if state.state != "paused":
                cases = [str(case.inputs) async for case in session.cases.all()]
                rejections = await session.rejections.newest(1000)
                return cases, sorted(
                    {
                        (r.category, r.ordinal, r.stage, r.text, r.score, r.threshold, r.nearest_case_id)
                        for r in rejections
                    },
                    key=str,
                )
        session = await Session.open(None, config)


async def test_a_run_that_is_interrupted_decides_as_one_that_is_not(
    packages: Path, tmp_path: Path, make_config: Configs
) -> None:
    plan = plan_of(60, stages=["structural", "ending"], thresholds={"ending": 0.5})
    whole = await build(make_config(checkpoint_dir=tmp_path / "whole", batch_size=7), plan)
    broken = await build(make_config(checkpoint_dir=tmp_path / "broken", batch_size=7, max_workers=3), plan, pauses=6)
    assert broken == whole
    turned = [one for one in whole[1] if one[2] == "ending"]
    assert turned and all(one[5] == 0.5 and one[6] for one in turned)


async def test_a_rejection_is_told_everywhere(
    packages: Path, make_config: Configs, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Event] = []
    config = make_config(diversity_stages="ending", stage_thresholds={"ending": 0.5})
    async with await Session.create(plan_of(80), config) as session:
        session.subscribe(told.append)
        await session.run()
        summary = await session.summary()
        (rejection,) = await session.rejections.newest(1)
    events = [event for event in told if isinstance(event, CaseRejected)]
    assert events and {(event.stage, event.threshold) for event in events} == {("ending", 0.5)}
    assert summary.rejections == {"ending": len(events)} and summary.diversity_rejections == len(events)
    painted = "".join(text for line in why(rejection, None, 200) for text, _ in line)
    assert "same ending" in painted and "The two end with the same words." in painted
    assert "stage_thresholds" in no_threshold("ending")


async def test_one_that_fails_pauses_the_run_and_is_named(packages: Path, make_config: Configs) -> None:
    async with await Session.create(plan_of(20), make_config(diversity_stages="fragile")) as session:
        (packages / "broken").touch()
        told: list[Event] = []
        session.subscribe(told.append)
        state = await session.run()
        assert [event.cause for event in told if isinstance(event, RunPaused)] == [PauseCause.PLUG_IN]
        assert "'fragile' of the package endings" in " ".join(e.text for e in told if isinstance(e, Notice))
        assert state.state == "paused" and await session.rejections.newest(10) == []
        assert (await session.summary()).instances_created < 20
        (packages / "broken").unlink()
        done, summary = await session.run(), await session.summary()
        assert done.state != "paused" and summary.instances_created + summary.exhausted_slots == 20


def test_a_score_that_is_none_is_a_failure(packages: Path) -> None:
    first, second = Comparer(None, plug_ins=["wild"]).judge([asked(TEXTS[0], "wild"), asked(TEXTS[1], "wild")])
    assert first.row == 0 and second.row is None and "7.0" in str(second.broken) and "endings" in str(second.broken)


def test_one_that_cannot_be_loaded(packages: Path) -> None:
    with pytest.raises(PlugInBroken, match="gone"):
        Comparer(None, plug_ins=["gone"])
    assert STAGES.rows["near"].package == "", "the name of a built-in stage is taken"


def test_the_doctor_lists_them(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    said = capsys.readouterr().out
    assert "✓ comparing stage ending: of the package endings" in said and "✗ comparing stage gone" in said
