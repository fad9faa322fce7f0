"""The flags that name fields of a file's records, the same for every command that reads one."""

from __future__ import annotations

import argparse

from dsbuilder_tui.session.row_files import FieldChoice


def field_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--field``, ``--category-field`` and ``--expectations-field``."""
    add = parser.add_argument_group("fields of a file, where its shape does not tell").add_argument
    add(
        "--field", action="append", default=[], metavar="PATH",
        help="what goes in and is compared, such as messages.0.content; may be given again (inputs)",
    )  # fmt: skip
    add("--category-field", metavar="PATH", help="the category; rows of one are compared (tags.category, category)")
    add("--expectations-field", metavar="PATH", help="what is expected: a repeat must not differ here (expectations)")


def field_choice(arguments: argparse.Namespace) -> FieldChoice:
    """The fields that were named."""
    return FieldChoice(tuple(arguments.field), arguments.category_field, arguments.expectations_field)
