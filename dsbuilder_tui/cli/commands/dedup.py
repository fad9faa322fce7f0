"""``dsbuilder dedup``: what repeats in a dataset file."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_options
from dsbuilder_tui.cli.key_question import ask_before_keys_leave
from dsbuilder_tui.cli.options import settings_from
from dsbuilder_tui.dedup import Progress, deduplicate
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import json_for_terminal, visible
from dsbuilder_tui.settings.key_trust import KeyUse
from dsbuilder_tui.settings.runner_names import LOCAL
from dsbuilder_tui.settings.stack import load_config

_DRAWN_EVERY = 0.25  # seconds
_LINE_EVERY = 10.0
_OWN_FLAGS = ("diversity_stages", "near_threshold", "semantic_threshold", "diversity_across", "ray_address")


def _dedup(arguments: argparse.Namespace) -> int:
    given = {name: getattr(arguments, name) for name in _OWN_FLAGS if getattr(arguments, name) is not None}
    config = load_config(**{**settings_from(arguments), **given})
    ask_before_keys_leave(config, [KeyUse.EMBEDDINGS])
    shown = None if arguments.json else _Shown(drawn=sys.stderr.isatty() and not arguments.plain)
    try:
        with _ended_by_signals():
            report = deduplicate(
                arguments.file,
                fields=arguments.field,
                out=arguments.out,
                dropped=arguments.dropped,
                flagged=arguments.flagged,
                category_field=arguments.category_field,
                expectations_field=arguments.expectations_field,
                keep_bad=arguments.keep_bad,
                config=config,
                work_folder=arguments.work_folder,
                progress=shown,
                tell=shown.tell if shown is not None else lambda text: None,
            )
    except KeyboardInterrupt:
        if shown is not None:
            shown.clear()
        goes_on = config.runner != LOCAL and arguments.file != "-" and (arguments.work_folder or arguments.out)
        more = " The same command goes on where it was." if goes_on else ""
        print(f"dsbuilder: interrupted; no file was written.{more}", file=sys.stderr)
        return ExitCode.RESUMABLE
    finally:
        if shown is not None:
            shown.clear()
    if arguments.json:
        print(json_for_terminal(json.dumps(report.as_dict(), ensure_ascii=False, indent=2)))
    else:
        for line in report.lines():
            print(visible(line))
    return ExitCode.SHORT if arguments.check and not report.clean else ExitCode.COMPLETE


class _Shown:
    """How far it is, on standard error: one line that is drawn over, or now and then a line of its own."""

    def __init__(self, *, drawn: bool) -> None:
        self._drawn = drawn
        self._next = 0.0 if drawn else time.monotonic() + _LINE_EVERY
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_DRAWN_EVERY if self._drawn else _LINE_EVERY)
        text = _words(progress)
        self._write("\r" + text.ljust(self._width) if self._drawn else text + "\n")
        self._width = len(text)

    def tell(self, text: str) -> None:
        self.clear()
        self._write(visible(text) + "\n")

    def clear(self) -> None:
        if self._drawn and self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody watches any more; the result counts
            sys.stderr.write(text)
            sys.stderr.flush()


def _words(progress: Progress) -> str:
    parts = [counted(progress.rows, "row")]
    if progress.share is not None:
        parts.append(f"{100 * progress.share:.0f} %")
    parts.append(f"{progress.dropped:,} dropped")
    if progress.bad:
        parts.append(f"{progress.bad:,} bad")
    if progress.seconds:
        parts.append(f"{progress.rows / progress.seconds:,.0f} rows/s")
    return "  " + ", ".join(parts)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A polite kill and a closed terminal end it as Ctrl+C does: nothing half-written stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before: dict[Any, Any] = {kind: signal.signal(kind, interrupt) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="JSON lines, JSON, CSV, YAML, Parquet (.gz), a folder; - for standard input")
    add("--out", metavar="FILE", help="write what is kept, line for line as it was (.gz: packed)")
    add("--dropped", metavar="FILE", help="write what is dropped: its record, the reason, the score, the match")
    add("--flagged", metavar="FILE", help="write the kept rows that contradict or resemble an earlier one")
    add("--keep-bad", action="store_true", help="pass lines that cannot be compared on to --out")
    add("--check", action="store_true", help="exit code 3 when something repeats, contradicts or cannot be compared")
    add("--work-folder", metavar="DIR", help="on a cluster: where a run goes on from (beside --out: OUT.work)")
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
    add("--runner", metavar="NAME", help="what does the work: local is this machine, ray a cluster")
    add("--ray-address", metavar="ADDRESS", help="of the cluster (host:port, ray://host:port, auto; one started here)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting (embedding_model …)")


COMMAND = CliCommand(
    help="find what repeats in a dataset file, whoever wrote it",
    rank=90,
    memory=500,
    run=_dedup,
    arguments=(field_options, _arguments),
)
