"""One line of a batch's results: which request it answers, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.models.endpoint import loads
from dsbuilder_tui.models.error_report import ErrorReport, read_error

EXPIRED = "batch_expired"  # the code of a request that was not answered in time
CANCELLED = "batch_cancelled"


@dataclass(frozen=True, slots=True)
class BatchRow:
    """The answer to one request: a chat completion, or an error. ``custom_id`` is what the request was called."""

    custom_id: str
    completion: Any = None
    error: ErrorReport | None = None

    @property
    def never_made(self) -> bool:
        """Whether the provider did not get to the request, and bills nothing for it."""
        return self.error is not None and not {EXPIRED, CANCELLED}.isdisjoint(self.error.codes)


def read_row(line: bytes) -> BatchRow | None:
    """A line of an output file or of an error file; None for one that is none."""
    value = loads(line)
    custom_id = value.get("custom_id") if isinstance(value, dict) else None
    if not isinstance(custom_id, str):
        return None
    response, error = value.get("response"), value.get("error")
    if isinstance(response, dict):
        status, body = response.get("status_code"), response.get("body")
        if status in (200, None) and isinstance(body, dict) and "choices" in body:
            return BatchRow(custom_id, completion=body)
        report = read_error(body) if body else ErrorReport()
        known = status if isinstance(status, int) and status != 200 else report.status
        said = report.message or (f"HTTP {known}" if known else "an answer that is no chat completion")
        return BatchRow(custom_id, error=ErrorReport(said, report.codes, known))
    if error:
        return BatchRow(custom_id, error=read_error(error))
    return BatchRow(custom_id, error=ErrorReport("neither an answer nor an error"))
