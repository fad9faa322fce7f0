"""What can be typed: commands, arguments, flags."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

EXIT_CODES = """\
exit codes:
  0  complete
  1  anything not listed here
  2  bad usage or input
  3  finished short: some slots were given up on; or dedup --check has found something
  4  paused or interrupted; `dsbuilder resume` goes on
  5  the endpoint refused: key, model or quota"""

_SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("--provider", "NAME", "who writes: auto, offline or openai"),
    ("--model", "NAME", "model of the main agent"),
    ("--worker-model", "NAME", "model of the workers"),
    ("--base-url", "URL", "OpenAI-compatible endpoint, ending in /v1"),
    ("--batch-size", "N", "most cases one worker call writes"),
    ("--sub-batch-size", "N", "smaller batches when workers run in parallel"),
    ("--max-workers", "N", "worker calls in flight at most"),
    ("--max-dataset-size", "N", "most cases a plan may hold"),
    ("--checkpoint-interval", "N", "cases between checkpoints"),
    ("--diversity-scope", "SCOPE", "compare with all cases (history) or the last ones (window)"),
    ("--diversity-window", "N", "cases compared against in scope window"),
    ("--budget", "DOLLARS", "dollars the session may cost at most, or off"),
    ("--seed", "N", "fixes slots and the built-in writer"),
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dsbuilder",
        description="Evaluation datasets for LLM applications: planned, diverse, saved as they grow.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, help: str, *parts: Callable[[argparse.ArgumentParser], Any]) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=help, description=help[:1].upper() + help[1:] + ".", epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        for part in parts:
            part(sub)
        return sub

    studio = command("studio", "open the app (the same as no command)", _settings)
    studio.add_argument("session", nargs="?", metavar="SESSION", help="open this session at once")
    studio.add_argument(
        "--plain", action="store_true", help="plain text in place of the app: what there is, what to do"
    )

    run = command("run", "build a dataset from a plan, or from words", _settings, _display, _out)
    source = run.add_mutually_exclusive_group(required=True)
    source.add_argument("plan", nargs="?", metavar="PLAN", help="plan file (.yaml or .json)")
    source.add_argument("--example", metavar="NAME", help="a packaged plan; see `dsbuilder examples`")
    source.add_argument(
        "--prompt", metavar="WORDS", help="what you need, in your words; the main agent draws up the plan"
    )
    run.add_argument("--yes", action="store_true", help="with --prompt: agree to the plan, and run it")

    resume = command("resume", "go on with a session (the newest, when none is named)", _settings, _display, _out)
    resume.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")
    resume.add_argument("--prompt", metavar="WORDS", help="say this to the main agent first")
    resume.add_argument("--yes", action="store_true", help="agree to what the main agent asks, and go on")
    resume.add_argument("--repair", action="store_true", help="set damaged cases aside and write them again")
    resume.add_argument("--retry-exhausted", action="store_true", help="try the slots that were given up on again")

    replay = command("replay", "play a recorded session in the app", _settings)
    replay.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")
    replay.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="times the recorded pace (1)")
    shown = replay.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one event a line, as JSON, without waiting")
    shown.add_argument("--plain", action="store_true", help="plain lines in place of the app, without waiting")

    command("sessions", "list the sessions", _place, _json)
    show = command("show", "show where a session stands", _place, _json)
    show.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")
    show.add_argument("--cases", type=int, default=5, metavar="N", help="how many cases to show (5)")

    export = command("export", "write a session's cases to a file", _place, _json)
    export.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")
    export.add_argument("--out", required=True, metavar="FILE", help=".jsonl, .json, .csv, .parquet, *_checkpoint.json")
    export.add_argument(
        "--format", choices=("jsonl", "json", "csv", "parquet", "checkpoint"), help="whatever the ending"
    )
    export.add_argument("--skip-damaged", action="store_true", help="leave damaged cases out")

    load = command("import", "make a session from a *_checkpoint.json, to be continued with resume", _place, _json)
    load.add_argument("file", metavar="FILE", help="checkpoint JSON")
    load.add_argument("--max-dataset-size", metavar="N", help="most cases a plan may hold")

    command("dedup", "find what repeats in a dataset file, whoever wrote it", _dedup)
    command("examples", "list the packaged plans", _json)
    manual = command("manual", "print the guide: the list of its pages, or one of them")
    manual.add_argument("topic", nargs="?", metavar="TOPIC", help="start, plan, settings, costs …; none: the list")
    command("config", "show every setting and where it came from", _settings, _json)
    command("doctor", "check folders, endpoint, key and model", _settings, _json)
    return parser


def _dedup(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="JSON lines (also .gz), a JSON array or *_checkpoint.json; - for standard input")
    add(
        "--field", action="append", default=[], metavar="PATH",
        help="what is compared, such as messages.0.content; may be given again (inputs)",
    )  # fmt: skip
    add("--category-field", metavar="PATH", help="rows of one category are compared (tags.category, or category)")
    add("--expectations-field", metavar="PATH", help="what is expected: a repeat must not differ here (expectations)")
    add("--out", metavar="FILE", help="write what is kept, line for line as it was (.gz: packed)")
    add("--dropped", metavar="FILE", help="write what is dropped: its record, the reason, the score, the match")
    add("--flagged", metavar="FILE", help="write the kept rows that contradict or resemble an earlier one")
    add("--keep-bad", action="store_true", help="pass lines that cannot be compared on to --out")
    add("--check", action="store_true", help="exit code 3 when something repeats, contradicts or cannot be compared")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="the report as one JSON object")
    shown.add_argument("--plain", action="store_true", help="no line that is drawn over while it works")
    add = parser.add_argument_group("settings").add_argument
    add("--stages", dest="diversity_stages", metavar="LIST", help="out of structural,near,semantic (all)")
    add("--near", dest="near_threshold", metavar="SHARE", help="share of the words from which it is a repeat (0.70)")
    add("--semantic", dest="semantic_threshold", metavar="COSINE", help="cosine from which it is a repeat (0.92)")
    add("--across", dest="diversity_across", action="store_const", const=True, help="compare across categories, too")
    add("--diversity-scope", metavar="SCOPE", help="compare with all earlier rows (history) or the last ones (window)")
    add("--diversity-window", metavar="N", help="rows compared against in scope window")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting (embedding_model …)")


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed; give a number from 0.1 to 1000")
    return speed


def _place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint-dir", metavar="DIR", help="folder of the sessions")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def _display(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="one event a line, as JSON")
    group.add_argument("--plain", action="store_true", help="plain lines in place of the live display")


def _out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", help="write the finished dataset: .jsonl, .json, .csv or .parquet")


def _settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    _place(parser)
    for flag, metavar, text in _SETTINGS:
        group.add_argument(flag, metavar=metavar, help=text)
    group.add_argument("--no-parallel", action="store_true", help="one worker at a time")
    group.add_argument(
        "--no-checkpointing", action="store_true", help="no checkpoint rows (cases are saved all the same)"
    )
    group.add_argument("--no-diversity", action="store_true", help="accept repeats")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting; `dsbuilder config` lists them",
    )
