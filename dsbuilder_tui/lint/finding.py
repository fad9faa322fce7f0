"""One thing that is wrong with a dataset, and the codes by which such things are known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"  # results on the dataset are wrong
    WARNING = "warning"  # they may be
    NOTE = "note"  # worth knowing


class CheckCode(Enum):
    """What can be found: the code, how much it weighs, what it is, and the way out."""

    EXACT_REPEAT = ("DS101", Severity.ERROR, "the same case twice", "Remove one; --fix does.")
    NEAR_REPEAT = ("DS102", Severity.WARNING, "nearly the same input", "Remove one, or make them differ.")
    CONTRADICTION = ("DS103", Severity.ERROR, "the same input, other expectations", "Decide which one is right.")
    SPLIT_LEAK = (
        "DS104",
        Severity.ERROR,
        "near cases on both sides of a split",
        "Move one of them to the other's split.",
    )
    DUPLICATE_ID = ("DS105", Severity.ERROR, "an id twice", "Give one of them another id; --fix does.")
    PLACEHOLDER = ("DS201", Severity.ERROR, "a placeholder that nobody filled in", "Put in what a user would write.")
    NOT_IN_INPUT = (
        "DS202", Severity.WARNING, "an expectation names what is not in the input",
        "Take it from the input, or leave it out.",
    )  # fmt: skip
    NO_EXPECTATION = ("DS203", Severity.WARNING, "nothing is expected", "Say what a right answer must satisfy.")
    CONSTANT_EXPECTATION = (
        "DS204", Severity.WARNING, "every case of a category expects the same",
        "Say for each case what a right answer to it must satisfy.",
    )  # fmt: skip
    TOOL_CALL = (
        "DS205",
        Severity.ERROR,
        "an expected tool call does not fit the tools",
        "Write it as the schema has it.",
    )
    ANSWER_IN_INPUT = ("DS206", Severity.WARNING, "the answer stands in the question", "Take it out of the input.")
    ATTRIBUTE_NAMED = ("DS207", Severity.WARNING, "an attribute is named, not shown", "Let the text show it.")
    PERSONAL_DATA = ("DS301", Severity.WARNING, "personal data", "Replace it with invented data of the same shape.")
    ENCODING = ("DS302", Severity.ERROR, "text in a broken encoding", "Read it in its own encoding; --fix mends most.")
    UNREADABLE = ("DS303", Severity.ERROR, "a line that holds no case", "Mend or remove it.")
    THIN_CATEGORY = ("DS401", Severity.NOTE, "a category with few cases", "Write more, or join it with another.")
    OTHER_RULE = ("DS402", Severity.WARNING, "a rule of the plan is broken", "See the rule's settings in the plan.")
    JUDGED_BAD = ("DS501", Severity.WARNING, "the judge finds it bad", "Mend it as the judge says, or remove it.")

    def __init__(self, code: str, severity: Severity, title: str, way_out: str) -> None:
        self.code, self.severity, self.title, self.way_out = code, severity, title, way_out


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinding:
    """``line`` counts from 1 (0: the dataset as a whole); ``sentence`` says what is wrong there, ``case_id`` of which case.

    ``other_line`` is that of the case it is held against. ``fingerprint`` stays the same while the row does, wherever in the
    file it stands.
    """

    code: CheckCode
    line: int
    sentence: str
    fingerprint: str
    case_id: str | None = None
    other_line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        said = {**asdict(self), "code": self.code.code, "severity": str(self.code.severity)}
        return {**said, "title": self.code.title, "way_out": self.code.way_out}
