"""What users asked, out of the traces of a real application in a real MLflow: as cases, as examples, without personal data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderAgent, DatasetBuilderConfig
from dsbuilder_tui.agent.traced_datasets import traced_dataset
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.quality.personal_data import PersonalDataKind
from dsbuilder_tui.session.traced_rows import traced_rows
from dsbuilder_tui.settings.stack import load_config
from tests.support.made_once import made_once
from tests.support.mlflow_traces import PERSONAL

APPLICATION = Path(__file__).parent.parent / "support" / "mlflow_traces.py"
pytestmark = pytest.mark.timeout(
    300
)  # the application imports MLflow, in a process of its own, for each kind of traces
NOW = 4_000_000_000.0  # after every trace


DATABASES = (("requests", "my_bot"), ("talks", "my_bot"), ("mixed", "my_bot"), ("odd", "jobs"))
Traced = Callable[..., None]


@pytest.fixture
def traced(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, uri: str) -> Traced:
    """``traced(kind, experiment)``: the test's database holds these traces of the application, and no others."""

    def make(folder: Path) -> None:
        told = []
        for kind, experiment in DATABASES:
            file = folder / f"{kind}.{experiment}.db"
            shutil.copyfile(empty_database, file)
            told += [f"sqlite:///{file}", experiment, kind]
        subprocess.run([sys.executable, str(APPLICATION), *told], check=True, capture_output=True, timeout=240)

    def put(kind: str, experiment: str = "my_bot") -> None:
        folder = made_once(tmp_path_factory, "traces", make)
        shutil.copyfile(folder / f"{kind}.{experiment}.db", uri.removeprefix("sqlite:///"))

    return put


def read(uri: str, **query: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    config = load_config(mlflow_tracking_uri=uri)
    with traced_rows(TraceQuery(**{"experiment": "my_bot", **query}), config, NOW) as rows:
        return [json.loads(line) for line in rows.path.read_text().splitlines()], rows.notes


def test_requests_are_rows_under_the_application_s_own_parameter_and_nobody_is_named_in_them(
    traced: Traced, uri: str
) -> None:
    traced("requests")
    rows, notes = read(uri)
    assert len(rows) == 40
    questions = [row["inputs"]["question"] for row in rows]
    assert questions[0] == "Where is my order #40000? It should have been here on Monday."
    text = "\n".join(questions)
    for private in ("Tobias", "Hellwig", "tobias.hellwig@posteo.de", "171 8841123", "4539 5787 6362 1486"):
        assert private not in text
    assert "personal data masked" in " ".join(notes) and "40 traces of my_bot read: 40 requests" in notes[0]
    assert all(row["tags"]["trace_id"] for row in rows)
    kept, notes = read(uri, keep_personal_data=True)
    assert {row["inputs"]["question"] for row in kept} >= set(PERSONAL)
    assert "personal data was kept, as you asked" in notes


def test_a_filter_and_a_time_choose_and_what_is_not_there_is_said(traced: Traced, uri: str) -> None:
    traced("requests")
    rows, _ = read(uri, filter="tags.channel = 'app'")
    assert len(rows) == 8
    newest, notes = read(uri, most=5)
    assert len(newest) == 5 and "there are older traces" in notes[-1]
    for query, said in (
        ({"since": "1h"}, "has no traces since 1h"),
        ({"filter": "nonsense ="}, "does not take the filter"),
        ({"since": "soon"}, "neither a span nor a date"),
    ):
        with pytest.raises(InputError, match=said):
            read(uri, **query)
    with pytest.raises(InputError) as error:
        read(uri, experiment="my_bott")
    assert "no experiment 'my_bott'" in str(error.value) and "my_bot" in error.value.hint


def test_traces_of_one_session_are_one_conversation(traced: Traced, uri: str) -> None:
    traced("talks")
    rows, notes = read(uri)
    assert len(rows) == 8 and "8 conversations" in notes[0]
    messages = rows[0]["inputs"]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[-1]["content"] == "It is order 50000, from Tuesday. Where is it now?"


def test_what_was_masked_is_told_by_kind() -> None:
    assert PersonalDataKind.EMAIL.counted(12) == "12 e-mail addresses"
    assert PersonalDataKind.CARD.counted(1) == "1 card number"


def test_what_says_nothing_of_a_user_is_counted_with_its_reason(traced: Traced, uri: str) -> None:
    traced("mixed")
    rows, notes = read(uri)
    assert len(rows) == 48 and all(list(row["inputs"]) == list(rows[0]["inputs"]) for row in rows)
    assert any("5 traces not understood" in note and "limit" in note for note in notes)
    traced("odd", "jobs")
    with pytest.raises(InputError, match="None of 5 traces"):
        read(uri, experiment="jobs")


def test_traces_become_cases_each_once_in_categories(
    traced: Traced, uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traced("requests")
    place = ["--checkpoint-dir", str(tmp_path / "sessions"), "--tracking-uri", uri]
    assert main(["import", "traces:my_bot", *place, "--json"]) == ExitCode.COMPLETE
    told = json.loads(capsys.readouterr().out)
    assert told["instances_created"] == told["total_instances_planned"] <= 39
    assert "1 request was asked several times: each is there once, with how often" in told["notes"]
    assert any("left out: nearly the same was asked before" in note for note in told["notes"])
    out = tmp_path / "cases.jsonl"
    assert main(["export", "--checkpoint-dir", str(tmp_path / "sessions"), "--out", str(out)]) == ExitCode.COMPLETE
    cases = [json.loads(line) for line in out.read_text().splitlines()]
    texts = [json.dumps(case["inputs"]) for case in cases]
    assert len(texts) == len(set(texts)) == told["instances_created"]
    assert [case["tags"]["times_asked"] for case in cases if "times_asked" in case["tags"]] == [2]
    assert "tobias" not in "".join(texts).lower()
    words = {word for name in told["categories"] for word in name.split("_")}
    assert not words & {"com", "mail", "name", "doe", "example", "user"}, words


def test_a_dataset_begins_from_what_users_asked(
    traced: Traced, uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traced("requests")
    out = tmp_path / "new.jsonl"
    command = [
        "run", "--from-traces", "my_bot", "--more", "20", "--only-new", "--provider", "offline", "--out", str(out),
        "--checkpoint-dir", str(tmp_path / "sessions"), "--mlflow-tracking-uri", uri,
    ]  # fmt: skip
    assert main(command) == ExitCode.COMPLETE
    said = capsys.readouterr().out
    assert "40 traces of my_bot read" in said and "personal data masked" in said
    assert "1 request was asked several times" in said and "39 rows are there; 20 cases will be added" in said
    assert main(["show", "--checkpoint-dir", str(tmp_path / "sessions")]) == ExitCode.COMPLETE
    assert "39 of the cases came with traces of my_bot.jsonl (asked 40 times), 20 are new." in capsys.readouterr().out
    new = [json.loads(line) for line in out.read_text().splitlines()]
    asked = {row["inputs"]["question"] for row in read(uri)[0]}
    assert len(new) == 20 and not asked & {case["inputs"]["question"] for case in new}
    assert "Hellwig" not in out.read_text()


async def test_from_python_they_are_cases_or_what_more_cases_begin_from(
    traced: Traced, uri: str, tmp_path: Path
) -> None:
    traced("requests")
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", mlflow_tracking_uri=uri, provider="offline")
    async with DatasetBuilderAgent(config=config) as agent:
        state = await agent.from_traces("my_bot", since="7d")
        assert state.state == "complete" and 0 < state.instances_created == state.total_instances_planned <= 39
        assert "Tobias" not in json.dumps(await agent._records())
        state = await agent.from_traces("my_bot", filter="tags.channel = 'app'", more=4)
        there = state.instances_created
        assert (state.state, state.total_instances_planned - there) == ("paused", 4)
        assert (await agent.resume()).state == "complete"
        for wrong, said in (
            ({"more": 0}, "how many cases are added"),
            ({"since": "soon"}, "neither a span nor a date"),
            ({"more": 3, "plan": agent.session.plan}, "says itself"),
        ):
            with pytest.raises(InputError, match=said):
                await agent.from_traces("my_bot", **wrong)
        assert (await agent.get_builder_state_summary()).instances_created == there + 4, "what was open stays open"


async def test_requests_that_break_a_rule_of_the_plan_are_left_out_and_told(
    traced: Traced, uri: str, tmp_path: Path
) -> None:
    traced("requests")
    asked = list(dict.fromkeys(row["inputs"]["question"] for row in read(uri)[0]))
    short = [text for text in asked if len(text.split()) <= 12]
    assert 0 < len(short) < len(asked)
    plan = parse_plan(
        {
            "dataset_name": "kept",
            "input_fields": ["question"],
            "categories": [
                {
                    "name": "asked",
                    "count": 3,
                    "validators": [{"length": {"max_words": 12}}],
                    "example_inputs": "Where is it?",
                }
            ],
        }
    )
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", mlflow_tracking_uri=uri, provider="offline")
    dataset = traced_dataset(TraceQuery(experiment="my_bot"), config, NOW, plan=plan)
    assert [case.inputs["question"] for case in dataset.cases] == short
    assert dataset.plan.total_instances == len(short) + 3
    assert any(
        f"{len(asked) - len(short)} requests left out that break a rule of the plan: length" in n for n in dataset.notes
    )
    strict = plan.model_copy(update={"validators": ({"patterns": {"must": ["^nobody says this$"]}},)})
    with pytest.raises(InputError, match="No request keeps the rules"):
        traced_dataset(TraceQuery(experiment="my_bot"), config, NOW, plan=parse_plan(strict.model_dump(mode="json")))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["import", "traces:other"], "no experiment 'other'"),
        (["import", "rows.jsonl", "--since", "7d"], "--since is for traces"),
        (["import", "traces:my_bot", "--format", "rows"], "no format"),
        (
            ["run", "--from-traces", "my_bot"],
            "--from-traces my_bot needs to know how many cases are to be added. Say --more N, or name a plan. "
            "Or make the requests themselves the cases: dsbuilder import traces:my_bot",
        ),
        (["run", "--from-traces", "my_bot", "--more", "0"], "--more N says how many cases --from-traces my_bot adds"),
        (["run", "plan.yaml", "--from-traces", "my_bot", "--more", "3"], "A plan says itself"),
        (["run", "--from-traces", "my_bot", "--extend", "x.csv", "--more", "3"], "do not go together"),
        (["run", "--example", "customer_service", "--filter", "x = 1"], "--filter is for traces"),
        (["run", "--prompt", "60 cases for a bot: refunds", "--since", "7d"], "--since is for traces"),
    ],
)
def test_wrong_commands_are_told(
    command: list[str], said: str, uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = ["--mlflow-tracking-uri", uri] if command[0] == "run" else ["--tracking-uri", uri]
    if command[1] == "rows.jsonl":
        address = []
    assert main([*command, "--checkpoint-dir", str(tmp_path / "sessions"), *address]) == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "sessions").glob("*"))


def test_a_server_that_is_away_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--checkpoint-dir", str(tmp_path), "--tracking-uri", "http://127.0.0.1:9"]
    assert main(["import", "traces:my_bot", *place]) != ExitCode.COMPLETE
    error = capsys.readouterr().err
    assert "127.0.0.1:9" in error and "Traceback" not in error
