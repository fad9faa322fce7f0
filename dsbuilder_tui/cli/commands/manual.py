"""``manual``: the pages of the guide, set for a terminal, or as they are in a pipe."""

from __future__ import annotations

import argparse
import re
import sys

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.manual import page, topics

_LINK = re.compile(r"\[([^\[\]]+)\]\((\w+)\.md\)")


def _manual(arguments: argparse.Namespace) -> int:
    """Print one page, or the list of all of them. Raises ``InputError`` for a page that is not there."""
    if arguments.topic:
        _print_page(page(arguments.topic))
        return ExitCode.COMPLETE
    pages = topics()
    wide = max(len(topic.name) for topic in pages)
    print("The manual, page by page:\n")
    for topic in pages:
        print(f"  {topic.name.ljust(wide)}  {topic.summary}")
    print("\nRead one:  dsbuilder manual start")
    return ExitCode.COMPLETE


def _print_page(text: str) -> None:
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    text = _LINK.sub(r"\1 (`dsbuilder manual \2`)", text)
    # The terminal's own ground, whether it is dark or light.
    console = Console(highlight=False, theme=Theme({"markdown.code": "bold cyan", "markdown.h2": "bold"}))
    console.print(Markdown(text, hyperlinks=False, code_theme="ansi_dark"), width=min(console.width, 100))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help="start, plan, settings, costs …; none: the list")


COMMAND = CliCommand(
    help="print the guide: the list of its pages, or one of them", rank=125, run=_manual, arguments=(_arguments,)
)
