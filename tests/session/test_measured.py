"""Figures from the fingerprints that runs write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.diversity.compared_text import compared_text, masked
from dsbuilder_tui.diversity.fingerprint_file import NAMES
from dsbuilder_tui.diversity.fingerprints import checks, stored_row_type
from dsbuilder_tui.diversity.static_embedding import Vectors, built_in_embedder
from dsbuilder_tui.domain.events import CaseAccepted, DiversityMeasured
from tests.session.test_figures import PLAN
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import Scripted

Configs = Callable[..., DatasetBuilderConfig]


async def test_every_case_of_a_run_is_in_the_figures_at_its_end(make_config: Configs) -> None:
    told: list[DiversityMeasured] = []
    async with await Session.create(PLAN, make_config()) as session:
        session.subscribe(lambda event: told.append(event) if isinstance(event, DiversityMeasured) else None)
        await session.run()
        report = await session.diversity.figures()
        folder = session.folder
    f = report.overall
    assert (f.cases, f.compared, f.most_variety) == (42, 42, 42)
    assert f.variety is not None and 2 < f.variety < 42
    assert f.mean_likeness is not None and f.nearest_likeness is not None
    assert 0 < f.mean_likeness < f.nearest_likeness < 1
    assert [(event.final, event.cases, event.variety) for event in told] == [
        (True, 42, pytest.approx(f.variety, abs=0.06))
    ]
    assert [figures.compared for figures in report.categories.values()] == [30, 12]
    async with await Session.open(folder, make_config()) as again:
        later = (await again.diversity.figures()).overall
    assert later.variety == pytest.approx(f.variety, rel=1e-4) and later.compared == 42


async def test_figures_follow_what_a_person_does_to_cases(make_config: Configs) -> None:
    async with await Session.create(PLAN, make_config()) as session:
        await session.run()
        before = (await session.diversity.figures()).categories["refunds"]
        for ordinal in range(1, 13):
            case = await session.cases.get("refunds", ordinal)
            assert case is not None
            same = {"query": f"I want ${20 + ordinal} back"}
            await session.cases.edit("refunds", ordinal, same, case.expectations)
        after = (await session.diversity.figures()).categories["refunds"]
        assert after.compared == 12 and after.variety is not None and before.variety is not None
        assert after.variety < before.variety / 2, "they all say the same now"
        await session.cases.withdraw("refunds", 4)
        assert (await session.diversity.figures()).categories["refunds"].compared == 11


async def test_figures_can_be_asked_for_while_it_runs(make_config: Configs) -> None:
    model = Scripted(hold=3)
    async with await Session.create(PLAN, make_config()) as session:
        events = session.events()
        run = asyncio.create_task(session.run(model))
        async for event in events:
            if isinstance(event, CaseAccepted) and event.accepted >= 6:
                break
        middle = (await session.diversity.figures()).overall
        assert middle.compared <= middle.cases < 42 and middle.cells_filled > 0
        model.gate.set()
        await run
        assert (await session.diversity.figures()).overall.compared == 42


async def test_cases_that_are_not_compared_have_no_likeness(make_config: Configs) -> None:
    free = PLAN.model_copy(
        update={"categories": tuple(each.model_copy(update={"diversity": "off"}) for each in PLAN.categories)}
    )
    async with await Session.create(free, make_config()) as session:
        await session.run()
        f = (await session.diversity.figures()).overall
        assert f.variety is None and f.mean_likeness is None and f.compared == 0
        assert f.packed is not None and f.cells == f.cells_filled == 10


def other_model(folder: Path) -> str:
    """A static model of another kind than the built-in one, with its tokenizer."""
    count = built_in_embedder()._tokenizer.get_vocab_size()
    folder.mkdir()
    table = np.random.default_rng(2).normal(size=(count, 24)).astype(np.float32)
    save_file({"embeddings": table}, folder / "model.safetensors")
    built_in_embedder()._tokenizer.save(str(folder / "tokenizer.json"))
    return str(folder)


def built_in_vector(inputs: Mapping[str, Any]) -> Vectors:
    return built_in_embedder().embed([masked(compared_text(inputs))])[0]


@pytest.mark.parametrize("compared_by", ["static", "a folder", "an endpoint", "no embedding"])
async def test_the_figures_are_those_of_the_built_in_embedding(
    make_config: Configs, tmp_path: Path, compared_by: str
) -> None:
    """Whatever the gate compares with: so that datasets can be compared."""
    async with FakeOpenAI() as fake:
        settings: dict[str, Any] = {"semantic_threshold": 1.0, "seed": 3}
        if compared_by == "a folder":
            settings["embedding_model"] = other_model(tmp_path / "model")
        elif compared_by == "an endpoint":
            settings |= {"embedding_model": "e5", "embedding_base_url": fake.url}
        elif compared_by == "no embedding":
            settings["diversity_stages"] = "structural,near"
        async with await Session.create(PLAN, make_config(**settings)) as session:
            await session.run()
            report = await session.diversity.figures()
            cases = [case async for case in session.cases.all()]
            page = await session.diversity.fingerprints()
            folder = session.folder
        assert page is not None and page.vectors.shape == (42, 256)
        # Examples of the plan may not be repeated either.
        earlier = {each.name: [built_in_vector(example) for example in PLAN.examples(each)] for each in PLAN.categories}
        vectors, nearest = [], list[float]()
        for case in sorted(cases, key=lambda case: case.seq):
            vectors.append(built_in_vector(case.inputs))
            nearest.append(float(max(np.stack(earlier[case.category]) @ vectors[-1])))
            earlier[case.category].append(vectors[-1])
        every = np.stack(vectors)
        pairs = np.triu_indices(len(every), 1)
        f = report.overall
        assert (f.compared, f.most_variety) == (42, 42)
        assert f.mean_likeness == pytest.approx(float((every @ every.T)[pairs].mean()), abs=1e-3)
        assert f.nearest_likeness == pytest.approx(float(np.mean(nearest)), abs=1e-3)
        shares = np.linalg.eigvalsh(every @ every.T / len(every))
        shares = shares[shares > 1e-9]
        assert f.variety == pytest.approx(float(np.exp(-(shares * np.log(shares)).sum())), rel=1e-2)
        async with await Session.open(folder, make_config(**settings)) as again:
            assert (await again.diversity.figures()).overall == f, "read again, not made again"


async def test_fingerprints_of_an_earlier_version_are_made_again(make_config: Configs, tmp_path: Path) -> None:
    """They had the vectors of whatever the gate compared with."""
    settings = {"embedding_model": other_model(tmp_path / "model")}
    async with await Session.create(PLAN, make_config(**settings)) as session:
        await session.run()
        before, folder = (await session.diversity.figures()).overall, session.folder
    about = json.loads((folder / NAMES[0]).read_text())
    kind, whole = stored_row_type(about), np.fromfile(folder / NAMES[1], stored_row_type(about))
    del about["measure"], about["measured"]
    rows = np.zeros(len(whole), stored_row_type(about))
    for name in kind.names or ():
        if name != "measure":
            rows[name] = whole[name]
    rows["check"] = checks(rows)
    rows.tofile(folder / NAMES[1])
    (folder / NAMES[0]).write_text(json.dumps(about))
    async with await Session.open(folder, make_config(**settings)) as again:
        after = (await again.diversity.figures()).overall
    assert (after.compared, after.most_variety) == (42, 42) and after.variety == pytest.approx(before.variety, rel=1e-3)
