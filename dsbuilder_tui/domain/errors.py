"""Errors a person can act on: each says what is wrong and the way out."""

from __future__ import annotations

import copyreg
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """Process exit codes; documented in the manual and stable."""

    COMPLETE = 0
    FAILED = 1
    BAD_INPUT = 2
    SHORT = 3
    RESUMABLE = 4
    ENDPOINT_REFUSED = 5


def as_pickled(error: Exception) -> tuple[Any, ...]:
    """What ``__reduce__`` returns for an error whose constructor takes something else than its ``args``."""
    return copyreg.__newobj__, (type(error), *error.args), dict(vars(error))  # type: ignore[attr-defined]


class DsbuilderError(Exception):
    """Anything dsbuilder reports to a person in place of a traceback.

    ``problem`` names the thing and the value; ``hint`` says what to do next.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, problem: str, hint: str = "") -> None:
        problem = (
            problem if problem.rstrip().endswith((".", "!", "?", "…", ":")) or not hint else f"{problem.rstrip()}."
        )
        super().__init__(problem if not hint else f"{problem} {hint}")
        self.problem = problem
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        return as_pickled(self)


class InputError(DsbuilderError):
    """What the person gave (a file, a flag, a name) cannot be used."""

    exit_code = ExitCode.BAD_INPUT


class PlanError(InputError):
    """A plan is not valid. ``problems`` holds one sentence per problem."""

    def __init__(self, source: str, problems: list[str]) -> None:
        noun = "problem" if len(problems) == 1 else "problems"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{source}: {len(problems)} {noun} in the plan.\n{lines}")
        self.problems = problems


class ConfigError(InputError):
    """A setting has a value that cannot be used."""


class SessionNotFound(InputError):
    """No session of that name in the checkpoint directory."""


class SessionInUse(DsbuilderError):
    """Another process holds the session's lock."""


class SessionDamaged(DsbuilderError):
    """The session file, or a row in it, is not what was written."""


class SessionTooNew(DsbuilderError):
    """The session was written by a newer version of dsbuilder."""


class StorageError(DsbuilderError):
    """The disk would not take what had to be saved."""


class SessionClosed(StorageError):
    """The session was closed before what was asked of it came to its turn."""


class EndpointRefused(DsbuilderError):
    """The endpoint will not serve us until a person changes something: the key, the model, the quota."""

    exit_code = ExitCode.ENDPOINT_REFUSED


class EndpointUnavailable(DsbuilderError):
    """The endpoint kept failing; the session is saved and can be resumed."""

    exit_code = ExitCode.RESUMABLE
