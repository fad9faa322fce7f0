"""Flags that say which traces of an application are read."""

from __future__ import annotations

import argparse

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.trace_query import MOST_TRACES, TraceQuery


def trace_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--since", metavar="WHEN", help="of traces: a span or a date (7d, 12h, 2026-11-20); all without it")
    add("--filter", metavar="WORDS", help="of traces: which, in MLflow's words (\"tags.channel = 'web'\")")
    add(
        "--most-traces", type=int, metavar="N", help=f"of traces: how many are read, the newest first ({MOST_TRACES:,})"
    )
    add(
        "--keep-personal-data", action="store_true",
        help="of traces: leave names, addresses and numbers as they are; else others stand in for them",
    )  # fmt: skip


def trace_query(arguments: argparse.Namespace, experiment: str | None) -> TraceQuery | None:
    """Which traces are wanted; None where none are. Raises ``InputError`` for flags that go with traces alone."""
    given = {
        "--since": arguments.since, "--filter": arguments.filter, "--most-traces": arguments.most_traces,
        "--keep-personal-data": arguments.keep_personal_data,
    }  # fmt: skip
    if experiment is None:
        if flag := next((flag for flag, value in given.items() if value), None):
            raise InputError(f"{flag} is for traces.", "Name an experiment as traces:NAME, or leave it out.")
        return None
    if arguments.most_traces is not None and arguments.most_traces < 1:
        raise InputError(f"--most-traces is {arguments.most_traces}.", "Give it a number from 1 on.")
    return TraceQuery(
        experiment=experiment,
        since=arguments.since or "",
        filter=arguments.filter or "",
        keep_personal_data=arguments.keep_personal_data,
        most=arguments.most_traces or MOST_TRACES,
    )
