"""``examples``: the packaged plans."""

from __future__ import annotations

import argparse

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.plan_files import example_names, load_example


def _examples(arguments: argparse.Namespace) -> int:
    plans = [(name, load_example(name)) for name in example_names()]
    if arguments.json:
        print_json([{"name": name, **plan.model_dump(mode="json")} for name, plan in plans])
        return ExitCode.COMPLETE
    for name, plan in plans:
        say(f"{name}: {counted(plan.total_instances, 'case')}")
        for category in plan.categories:
            say(f"  {category.name} ({category.count}): {category.description}")
    say("\nTry one:  dsbuilder run --example customer_service --max-dataset-size 500")
    return ExitCode.COMPLETE


COMMAND = CliCommand(help="list the packaged plans", rank=100, run=_examples, arguments=(json_option,))
