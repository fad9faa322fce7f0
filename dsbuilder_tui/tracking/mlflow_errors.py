"""Errors of MLflow: whether it cannot be reached, or does not take what was sent; in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.settings.urls import without_login

_LONGEST = 200
_RECORD = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "DATA_LOSS", "MALFORMED_REQUEST"})
_AWAY = frozenset(
    {"TEMPORARILY_UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED",
     "ENDPOINT_NOT_FOUND", "CUSTOMER_UNAUTHORIZED", "DEADLINE_EXCEEDED", "NOT_IMPLEMENTED"}
)  # fmt: skip
_GONE = "RESOURCE_DOES_NOT_EXIST"
_LOCKED = re.compile(r"database is locked", re.IGNORECASE)
_URL = re.compile(r"[a-z]{2,20}://[^\s'\"]{1,500}")


class TrackingFault(StrEnum):
    """What is to be done about an error."""

    UNREACHABLE = "unreachable"  # wait, and try the same again
    REFUSED = "refused"  # what was sent is not taken
    UNCERTAIN = "uncertain"  # one of the two
    GONE = "gone"  # dataset, run or experiment is not there any more
    UNSUPPORTED = "unsupported"  # this MLflow cannot do it at all


class MlflowFailure(Exception):
    """What MLflow raised in the process that speaks to it: what is to be done about it, and the error in a line."""

    def __init__(self, fault: TrackingFault, words: str) -> None:
        super().__init__(fault, words)
        self.fault, self.words = fault, words

    def __str__(self) -> str:
        return self.words


def fault_of(error: Exception) -> TrackingFault:
    """Judged by the codes that MLflow gives, and by what an error was raised from."""
    if isinstance(error, MlflowFailure):
        return error.fault
    if isinstance(error, NotImplementedError):
        return TrackingFault.UNSUPPORTED
    code = str(getattr(error, "error_code", ""))
    if code == _GONE:
        return TrackingFault.GONE
    if code in _RECORD or isinstance(error, TypeError | ValueError):
        return TrackingFault.REFUSED
    away = any(isinstance(one, OSError) or _LOCKED.search(str(one)) for one in _chain(error))
    if code in _AWAY or isinstance(error, ImportError) or away:
        return TrackingFault.UNREACHABLE
    return TrackingFault.UNCERTAIN


def error_words(error: Exception, uri: str) -> str:
    """An error in a line, without a login that an address in it may have."""
    if isinstance(error, MlflowFailure):
        return error.words
    where = without_login(uri) or uri
    if isinstance(error, ImportError):
        return f"MLflow is not installed ({error.name or error}): pip install mlflow"
    chain = list(_chain(error))
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    if any(_LOCKED.search(str(one)) for one in chain):
        return f"the database {where} is locked by somebody else"
    if "Timeout" in names:
        return f"{where} does not answer"
    if "ConnectionError" in names:
        return f"no connection to {where}"
    cause = chain[-1]  # what all the others were raised from says it best
    first = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
    return one_line(_URL.sub(lambda found: without_login(found[0]) or "", first), _LONGEST)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came of."""
    one: BaseException | None = error
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
