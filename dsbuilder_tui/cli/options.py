"""Arguments that several commands share, and the settings given with them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.settings.runner_names import BATCH_API

_SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("--provider", "NAME", "who writes: auto, offline or openai"),
    ("--model", "NAME", "model of the main agent"),
    ("--worker-model", "NAME", "model of the workers"),
    ("--base-url", "URL", "OpenAI-compatible endpoint, ending in /v1"),
    ("--batch-size", "N", "most cases one worker call writes"),
    ("--sub-batch-size", "N", "smaller batches when workers run in parallel"),
    ("--runner", "NAME", "what makes the workers' calls: local (this machine), ray or batch-api"),
    ("--max-workers", "N", "worker calls in flight at most"),
    ("--max-dataset-size", "N", "most cases a plan may hold"),
    ("--checkpoint-interval", "N", "cases between checkpoints"),
    ("--diversity-scope", "SCOPE", "compare with all cases (history) or the last ones (window)"),
    ("--diversity-window", "N", "cases compared against in scope window"),
    ("--budget", "DOLLARS", "dollars the session may cost at most, or off"),
    ("--mlflow-tracking-uri", "URI", "MLflow server or database that cases are logged to"),
    ("--mlflow-experiment", "NAME", "experiment there (dsbuilder)"),
    ("--seed", "N", "fixes slots and the built-in writer"),
)

_FLAGS = (
    "provider", "model", "worker_model", "base_url", "batch_size", "sub_batch_size", "runner", "max_workers", "max_dataset_size",
    "checkpoint_dir", "checkpoint_interval", "diversity_scope", "diversity_window", "seed", "budget",
    "mlflow_tracking_uri", "mlflow_experiment",
)  # fmt: skip
_SWITCHES = {
    "no_parallel": "enable_parallel_generation",
    "no_checkpointing": "enable_checkpointing",
    "no_diversity": "enable_diversity_check",
    "no_mlflow": "incremental_mlflow_logging",
}


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number from ``least`` to ``most``, for the ``type`` of an argument."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not least <= int(text) <= (
            int(text) if most is None else most
        ):
            span = f"from {least} on" if most is None else f"from {least} to {most:,}"
            raise argparse.ArgumentTypeError(f"{text[:80]!r} is not a whole number {span}")
        return int(text)

    return read


def wait_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-wait", action="store_true", help="with --batch-api: leave when the jobs are sent; `resume` collects them"
    )


def session_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")


def place_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint-dir", metavar="DIR", help="folder of the sessions")


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def display_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="one event a line, as JSON")
    group.add_argument("--plain", action="store_true", help="plain lines in place of the live display")


def out_option(parser: argparse.ArgumentParser) -> None:
    from dsbuilder_tui.session.export_formats import format_words

    parser.add_argument(
        "--out", metavar="FILE", help=f"write the finished dataset; its ending says as {format_words()}"
    )


def settings_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    place_option(parser)
    for flag, metavar, text in _SETTINGS:
        group.add_argument(flag, metavar=metavar, help=text)
    group.add_argument(
        "--batch-api", action="store_true", help="the provider's Batch API: half the price, within a day"
    )
    group.add_argument("--no-parallel", action="store_true", help="one worker at a time")
    group.add_argument(
        "--no-checkpointing", action="store_true", help="no checkpoint rows (cases are saved all the same)"
    )
    group.add_argument("--mlflow", action="store_true", help="log cases to MLflow as they are accepted")
    group.add_argument("--no-mlflow", action="store_true", help="log no cases to MLflow")
    group.add_argument("--no-diversity", action="store_true", help="accept repeats")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting; `dsbuilder config` lists them",
    )


def settings_from(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line. Raises ``ConfigError`` for a malformed ``--set``."""
    flags: dict[str, Any] = {}
    for item in getattr(arguments, "set", []):
        name, mark, value = item.partition("=")
        name = name.strip().replace("-", "_")
        from dsbuilder_tui.settings.schema import KEYS, DatasetBuilderConfig

        if not mark or name not in DatasetBuilderConfig.model_fields:
            raise ConfigError(
                f"--set {item!r} does not name a setting.", "Write --set NAME=VALUE; see `dsbuilder config`."
            )
        if name in KEYS:
            raise ConfigError(
                "An API key on the command line can be read by every user of this machine.",
                f"Set {KEYS[name]} in the environment or in .env.",
            )
        flags[name] = value
    flags |= {name: getattr(arguments, name) for name in _FLAGS if getattr(arguments, name, None) is not None}
    if getattr(arguments, "batch_api", False):
        if flags.get("runner", BATCH_API) != BATCH_API:
            raise ConfigError(
                f"--batch-api and --runner {flags['runner']} do not go together.", "Leave one of them out."
            )
        flags["runner"] = BATCH_API
    if getattr(arguments, "mlflow", False):
        flags["incremental_mlflow_logging"] = True
    flags |= {field: False for switch, field in _SWITCHES.items() if getattr(arguments, switch, False)}
    return flags
