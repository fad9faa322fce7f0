"""The stages of the gate, by name."""

from __future__ import annotations

from enum import StrEnum

from dsbuilder_tui.domain.call_outcome import CallOutcome


class Stage(StrEnum):
    """Where a candidate was turned away.

    A plug-in's comparing stage has a name of its own beside these, and in older sessions a call that went wrong put its
    outcome here: so a field that holds a stage is a ``str``, which a member is.
    """

    SCHEMA = "schema"
    STRUCTURAL = "structural"
    NEAR = "near"
    SEMANTIC = "semantic"
    VALIDATORS = "validators"  # its reason is told to whoever writes the slot again
    JUDGE = "judge"  # its critique is, too
    CRITIQUE = "critique"  # a stage of writing found fault with it, and it could not be revised
    MISSING = "missing"  # in older sessions: the worker wrote no case for the slot
    PERSON = "person"  # turned away by a person, after it was accepted

    def __repr__(self) -> str:
        return repr(self.value)  # as a name that was read from the session file


# What nobody wrote was not turned away either: in older sessions such rows stand among the rejections.
NO_REJECTION = frozenset({Stage.MISSING.value, *(outcome.value for outcome in CallOutcome)})
COMPARING_STAGES = (Stage.STRUCTURAL, Stage.NEAR, Stage.SEMANTIC)  # hold a case against others, cheapest first
