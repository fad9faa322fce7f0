"""An endpoint's errors as exceptions: what each kind of failure means, in a sentence with a way out."""

from __future__ import annotations

from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.error_report import ErrorReport
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, TransientError

MOST_SAID = 300  # characters of an endpoint's words that a person is shown

# A failure of this kind is for a person: what is wrong, with {model}, {url} and {said}, and the way out.
_FOR_A_PERSON: dict[FailureKind, tuple[str, str]] = {
    FailureKind.KEY: ("The endpoint {url} does not accept the API key: {said}", "Set OPENAI_API_KEY to a valid key."),
    FailureKind.FORBIDDEN: (
        "The API key may not use {model} at {url}: {said}",
        "Use another key, project or model.",
    ),
    FailureKind.QUOTA: ("The account at {url} has no quota left: {said}", "Add credit, then resume."),
    FailureKind.NO_MODEL: (
        "The model {model} does not exist at {url}: {said}",
        "Name one that does with --worker-model; a server of your own has to fetch it first (ollama pull).",
    ),
    FailureKind.NO_SERVICE: (
        "There is no chat completions service at {url}: {said}",
        "Check base_url; it usually ends in /v1.",
    ),
    FailureKind.MEMORY: (
        "The server at {url} has not enough memory for {model}: {said}",
        "Take a smaller model, or a smaller quantization of it, a shorter context or fewer max_workers, or free memory there.",
    ),
    FailureKind.NO_TOOLS: (
        "{model} at {url} takes no tools, and the main agent works with tools: {said}",
        "Choose a model with tool calling (--model, or the settings); a server may need a switch for it, such as "
        "--jinja (llama.cpp) or --enable-auto-tool-choice (vLLM). Any model can be a worker_model.",
    ),
    FailureKind.REQUEST: ("The endpoint {url} refused the request{status}: {said}", "`dsbuilder doctor` looks closer."),
}
_TRANSIENT = (
    FailureKind.RATE_LIMIT, FailureKind.SERVER, FailureKind.CONNECTION, FailureKind.TIMEOUT, FailureKind.LOADING,
    FailureKind.BAD_ANSWER, FailureKind.MEMORY,
)  # fmt: skip


def explain(report: ErrorReport, kind: FailureKind, model: str, url: str) -> Exception:
    """The exception that a failure is. ``report`` must hold no secret any more.

    ``TransientError`` when another try may mend it, ``RequestTooLarge`` or ``CallRefused`` when other requests may pass,
    ``EndpointRefused`` when a person has to change something.
    """
    said = report.message[:MOST_SAID]
    if kind in _TRANSIENT:
        status = report.status
        words = f"HTTP {status}: {said}" if kind is FailureKind.SERVER and status and said != f"HTTP {status}" else said
        wait = 0.0 if kind is FailureKind.BAD_ANSWER else report.retry_after
        return TransientError(kind, words, wait)
    if kind is FailureKind.TOO_LARGE:
        return RequestTooLarge(f"The request does not fit the context of {model}: {said}", "Use a smaller batch_size.")
    if kind is FailureKind.CONTENT:
        return CallRefused(kind, said)
    if kind is FailureKind.REQUEST:
        return CallRefused(kind, said, refused(report, kind, model, url))
    return refused(report, kind, model, url)


def refused(report: ErrorReport, kind: FailureKind, model: str, url: str) -> EndpointRefused:
    """A failure that a person has to mend, in words."""
    problem, hint = _FOR_A_PERSON[kind]
    status = f" (HTTP {report.status})" if report.status else ""
    return EndpointRefused(problem.format(model=model, url=url, said=report.message[:MOST_SAID], status=status), hint)
