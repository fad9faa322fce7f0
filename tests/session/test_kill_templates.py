"""SIGKILL while cases are made of templates: the call for them was paid for once, and no slot is filled twice."""

from __future__ import annotations

import json
import random
from pathlib import Path

import yaml

from tests.session.test_kill import check_files
from tests.support.process import command, events, fake_endpoint, rest, start
from tests.support.template_answers import refund_plan

_ARGUMENTS = ("--checkpoint-dir", "sessions", "--max-workers", 2, "--json", "--max-dataset-size", 1000)


def test_kills_after_the_call_for_templates(tmp_path: Path) -> None:
    plan = refund_plan(400).model_copy(update={"dataset_name": "killed"})
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan.model_dump(mode="json")))
    rng = random.Random(3)
    with fake_endpoint() as fake:
        env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
        announced: list[str] = []
        for kill in range(4):
            arguments = ["resume"] if kill else ["run", "plan.yaml"]
            process = start(*arguments, *_ARGUMENTS, cwd=tmp_path, env=env)
            assert process.stdout
            heard, wanted = "", rng.randint(0, 60)
            # Once as soon as the templates are there, and not one case.
            while heard.count("case_accepted") < wanted and (line := process.stdout.readline()):
                heard += line
                if not kill and "templates written" in line:
                    break
            process.kill()
            heard += rest(process)[0]
            announced += [event["case_id"] for event in events(heard) if event["type"] == "case_accepted"]
            assert len(fake.templates.bodies) == 1, "templates were paid for again"
            check_files(tmp_path, announced)
        done = command("resume", *_ARGUMENTS, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        assert len(check_files(tmp_path, announced)) == 400 and len(set(announced)) == len(announced)
        assert len(fake.templates.bodies) == 1 and not fake.bodies
        shown = json.loads(
            command("show", "killed", "--checkpoint-dir", "sessions", "--json", cwd=tmp_path, env=env).stdout
        )
        templates = shown["templates"]["templates"]
        assert len(templates) == 22 and sum(one["accepted"] for one in templates) == 400
        assert shown["templates"]["costs"]["cases"] == 400
