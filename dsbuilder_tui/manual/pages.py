"""The pages of the guide, read from the package."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.resources import files

from dsbuilder_tui.domain.errors import InputError

# In the order in which a newcomer reads them; each is a file beside this one.
NAMES = (
    "start", "app", "web", "agent", "plan", "kinds", "documents", "pairs", "templates", "judge", "review", "stages",
    "commands", "rows", "places", "dedup", "check", "settings", "repeats", "figures", "costs", "batch-api", "answers", "limits",
    "clusters", "python", "files", "exports", "history", "undo", "mlflow", "endpoints", "writer",
)  # fmt: skip
_SETTINGS = "<!-- settings -->"


@dataclass(frozen=True, slots=True)
class Topic:
    """A page: the name it is asked for by, its title, and one sentence about it."""

    name: str
    title: str
    summary: str


def topics() -> list[Topic]:
    """All pages, in reading order."""
    return [_topic(name) for name in NAMES]


def page(name: str) -> str:
    """A page as Markdown. Raises ``InputError`` with the nearest name when there is no such page."""
    wanted = name.strip().casefold().removesuffix(".md")
    if wanted not in NAMES:
        close = difflib.get_close_matches(wanted, NAMES, n=1)
        hint = f"Did you mean `dsbuilder manual {close[0]}`?" if close else "`dsbuilder manual` lists the pages."
        raise InputError(f"The manual has no page {name[:40]!r}.", hint)
    text = _read(wanted)
    return text.replace(_SETTINGS, _settings()) if _SETTINGS in text else text


def _topic(name: str) -> Topic:
    title, summary, *_ = _read(name).split("\n\n", 2)
    return Topic(name, title.removeprefix("# "), " ".join(summary.split()))


def _read(name: str) -> str:
    return files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8")


def _settings() -> str:
    """Every setting with its default, from the settings themselves, so that the list cannot be out of date."""
    from dsbuilder_tui.settings.schema import DatasetBuilderConfig

    rows = []
    for name, field in DatasetBuilderConfig.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default).lower()
        said = "" if default is None or default in ({}, "") else f" ({shown})"
        rows.append(f"- `{name}`{said}: {field.description}")
    return "\n".join(rows)
