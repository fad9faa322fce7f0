"""The rows of what was found, and what a place is, in a few lines. Pure."""

from __future__ import annotations

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Rejection
from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.library import SessionListing
from dsbuilder_tui.settings.schema import SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.value_words import value_words
from dsbuilder_tui.tui.paint.case_fields import CasePart, case_fields
from dsbuilder_tui.tui.paint.field_lines import field_lines
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, wrap
from dsbuilder_tui.tui.places.place import PlaceKind
from dsbuilder_tui.tui.places.search import FoundPlace
from dsbuilder_tui.wording import STATE_WORDS, clock_time

# A sign for each kind, so that a glance tells what a row is.
_SIGNS = {
    PlaceKind.SCREEN: "▣", PlaceKind.CASE: "#", PlaceKind.CATEGORY: "▤", PlaceKind.CELL: "×", PlaceKind.BATCH: "b",
    PlaceKind.CHECKPOINT: "◉", PlaceKind.BRANCH: "├", PlaceKind.REJECTION: "✗", PlaceKind.SETTING: "=",
    PlaceKind.SESSION: "▶", PlaceKind.FILE: "/", PlaceKind.PAGE: "?",
}  # fmt: skip


def found_row(found: FoundPlace, width: int, chosen: bool) -> Line:
    """A sign of what it is, its name, and what else is to be said."""
    name = max(16, min(34, width * 2 // 5))
    head: Span = (f"{_SIGNS.get(found.place.kind, ' ')} ", "info")
    spans: list[Span] = [head, (fit(found.title, name), "strong" if chosen else "text"), ("  ", "text")]
    return cut((*spans, (clip(found.words, width - name - 4), "muted")), width)


def said_lines(heading: str, words: str, width: int) -> list[Line]:
    """A heading and a paragraph."""
    return [((clip(heading, width), "strong"),), EMPTY, *(((row, "text"),) for row in wrap(words, width))]


def case_lines(plan: DatasetPlanInput, case: AcceptedCase, width: int) -> list[Line]:
    """A case: what it says, what is expected, its attributes."""
    lines: list[Line] = [((clip(case.case_id, width), "strong"),), EMPTY]
    if case.damaged:
        return [*lines, (("damaged: its checksum does not match", "bad"),)]
    fields = [one for one in case_fields(plan, case) if one.value is not None]
    for one in fields:
        if one.part is CasePart.INPUTS:
            lines += field_lines(one, width)
    attributes = case.tags.get("attributes")
    if isinstance(attributes, dict) and attributes:
        told = " · ".join(f"{name} {value}" for name, value in attributes.items())
        lines += [EMPTY, *(((row, "muted"),) for row in wrap(told, width))]
    lines.append(EMPTY)
    for one in fields:
        if one.part is CasePart.EXPECTATIONS:
            lines += field_lines(one, width)
    return [cut(line, width) for line in lines]


def category_lines(plan: DatasetPlanInput, name: str, view: CategoryView | None, width: int) -> list[Line]:
    """A category: how full it is, and what it is about."""
    category = next(one for one in plan.categories if one.name == name)
    accepted, rejected = (view.accepted, view.rejected) if view is not None else (0, 0)
    told = f"{accepted:,} of {counted(category.count, 'case')}" + (f" · {rejected:,} rejected" if rejected else "")
    return [*said_lines(name, category.description, width), EMPTY, ((told, "muted"),)]


def checkpoint_lines(point: Checkpoint, width: int) -> list[Line]:
    """A checkpoint: where it lies, when it was written, what there was."""
    heading = f"checkpoint {point.id}" + (f" · {point.name}" if point.name else "")
    words = f"{point.accepted:,} of {counted(point.planned, 'case')}, on the branch {point.branch}"
    note = [EMPTY, *(((row, "text"),) for row in wrap(point.note, width))] if point.note else []
    return [
        *said_lines(heading, words, width),
        ((f"written {clock_time(point.created_at)}, plan revision {point.revision}", "muted"),),
        *note,
    ]


def rejection_lines(turned: Rejection, width: int) -> list[Line]:
    """A rejection: its text, and why."""
    return [*said_lines(f"rejected · {turned.category}", turned.text, width), EMPTY,
            *(((row, "muted"),) for row in wrap(f"{turned.stage}: {turned.reason}", width))]  # fmt: skip


def session_lines(listing: SessionListing, width: int) -> list[Line]:
    """A session: how it stands, and where it is."""
    words = listing.problem or f"{listing.accepted:,} of {counted(listing.planned, 'case')}"
    if listing.undecided:
        words = "no plan yet"
    state = STATE_WORDS.get(listing.state, str(listing.state))
    lines = said_lines(listing.id, f"{state} · {words}", width)
    return [*lines, EMPTY, *(((row, "faint"),) for row in wrap(listing.path, width))]


def setting_lines(config: DatasetBuilderConfig, name: str, width: int) -> list[Line]:
    """A setting: its value, where that came from, and what it means. A secret is not shown."""
    value = getattr(config, name)
    shown = (
        ("set" if value else "unset") if name in SECRETS else value_words(config.shown_urls((name,)).get(name, value))
    )
    origin = config.origins()[name]
    meaning = DatasetBuilderConfig.model_fields[name].description or ""
    lines: list[Line] = [((clip(name, width), "strong"),), EMPTY]
    for label, said, role in (("now  ", shown, "accent"), ("from ", origin, "text")):
        lines.append(((label, "muted"), (clip(said, width - 5), role)))
    return [*lines, EMPTY, *(((row, "text"),) for row in wrap(meaning, width))]
