"""One format of a dataset file: how it is recognised, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.dataset_card import DatasetCard


class CaseWriter(Protocol):
    """Writes cases page by page into a file that is open already."""

    def write(self, cases: Sequence[AcceptedCase]) -> None: ...
    def close(self, count: int) -> None:
        """Write what comes behind the cases; ``count`` is how many there were. The file stays open."""


@dataclass(frozen=True, slots=True)
class DatasetShape:
    """What a writer may want to know beforehand: input fields, attribute axes, and the plan's head of the seed format.

    With ``raw`` every text is to stay as it is, also one that a spreadsheet would take for a formula.
    """

    fields: Sequence[str] = ()
    axes: Sequence[str] = ()
    head: Mapping[str, Any] = field(default_factory=dict)
    raw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLayout:
    """How a dataset lies in a folder: a file for each split, and a page about it all.

    ``data`` is the path of a split's file in the folder, ``{split}`` for its name. ``page`` is the name of the page that
    ``write_page`` makes of what there is to say; a page that ``is_own`` is one that was written so before.
    """

    data: str
    page: str
    write_page: Callable[[DatasetCard], str]
    is_own: Callable[[str], bool]


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A row of the registry ``dsbuilder.formats``.

    ``ending`` is how the names of such files end: a dot, or an underscore, and what follows. ``open`` makes a writer over a
    binary file. ``require`` raises ``InputError`` when a library that it needs is missing. With a ``layout`` the name is
    that of a folder.
    """

    ending: str
    open: Callable[[BinaryIO, DatasetShape], CaseWriter]
    require: Callable[[], None] = _nothing
    layout: FolderLayout | None = None
