"""By what failures are known: the codes, the words and the HTTP statuses of many servers, and what each means.

Every recognised wording stands here. A row holds for any provider: gateways hand on the words of whoever is behind them.
"""

from __future__ import annotations

import re

from dsbuilder_tui.domain.failure_kind import FailureKind as Kind
from dsbuilder_tui.models.error_report import ErrorReport

# In this order: what is searched first wins. Codes, types and reasons, in small letters.
_CODES: tuple[tuple[Kind, frozenset[str]], ...] = (
    (Kind.BAD_ANSWER, frozenset({"json_validate_failed", "tool_use_failed", "output_parse_failed"})),
    (
        Kind.CONTENT,
        frozenset({
            "content_filter", "content_policy_violation", "invalid_prompt", "data_inspection_failed", "moderation",
            "datainspectionfailed", "responsibleaipolicyviolation", "content_policy", "content_filter_error", "flagged",
            "moderation_blocked", "safety", "prohibited_content", "sensitive", "guardrail_intervened",
            "contentpolicyviolationerror", "input_moderation_failed", "1301", "1026", "1027", "content_policy_violation_error",
        }),
    ),
    (
        Kind.QUOTA,
        frozenset({
            "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "arrearage", "insufficient_balance",
            "exceeded_current_quota_error", "insufficient_credits", "payment_required", "1113", "1008",
            "account_deactivated", "billing_error",
        }),
    ),
    (Kind.TOO_LARGE, frozenset({
        "context_length_exceeded", "exceed_context_size_error", "string_above_max_length", "context_window_exceeded",
        "contextwindowexceedederror", "model_max_prompt_tokens_exceeded", "request_too_large", "tokens_limit_reached",
    })),
    (Kind.KEY, frozenset({
        "invalid_api_key", "api_key_invalid", "authentication_error", "unauthorized", "invalidapikey", "unauthenticated",
        "autherror", "authenticationerror", "expired_api_key",
    })),
    (Kind.NO_MODEL, frozenset({
        "model_not_found", "modelnotfound", "deploymentnotfound", "unknown_model", "model_not_available", "model_not_exist",
    })),
    (Kind.RATE_LIMIT, frozenset({
        "rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "throttlingexception", "too_many_requests",
        "rate_limit", "throttling", "throttling.ratequota", "rate_limit_reached", "ratelimiterror", "1302", "1303", "1305",
    })),
)  # fmt: skip

# Pieces of sentences, in small letters.
_WORDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (
        Kind.MEMORY,
        (
            r"out of (\w+ )?memory", r"outofmemory", r"\boom\b", r"(not enough|insufficient|more) (\w+ ){0,3}v?(memory|ram)\b",
            r"(failed|unable|cannot|can't|could not) to allocate", r"allocat\w* .{0,40}(failed|buffer|memory)", "bad_alloc",
            r"(memory|ram) .{0,30}(exhausted|exceeded)", r"exceeds? .{0,30}\bv?(ram|memory)\b",
        ),
    ),
    (
        Kind.CONTENT,
        (
            r"content[ _]filter", "content management policy", "flagged", "content exists risk", "inappropriate content",
            "moderation", r"(usage|content|safety|acceptable use) (polic|guideline)", "considered high risk",
            "sensitive content", "new_sensitive", "敏感", "prohibited_content", "guardrail", "harmful content",
            r"blocked by .{0,40}(safety|filter|policy)", r"safety (system|filter|check|setting)", "unsafe content",
            r"potentially (violat|unsafe|harmful)",
        ),
    ),
    (
        Kind.QUOTA,
        (
            r"insufficient (balance|credit|fund|quota)", "credit balance is too low", "out of credits", "no credits left",
            "requires more credits", "payment required", r"billing (hard|not)", r"account.{0,20}overdue", "余额不足",
        ),
    ),
    (
        Kind.TOO_LARGE,
        (
            r"context[ _-]*(length|size|window)", "maximum context", "exceed_context", "exceeds? the context", "n_ctx",
            "max_seq_len", "max_model_len", r"(prompt|input|request|message|conversation)s?( is| was| are)? too (long|large)",
            r"too many (input |prompt )?tokens", "(input|prompt) token count", "maximum prompt length",
            r"exceed\w* (the |your )?(model('s)? )?(maximum|token|input|max)[ \w]{0,30}(token|length|limit)",
            r"`inputs` .{0,40}must (be|have)", "range of input length", "input length", r"prompt contains \d+ tokens",
            r"(longer|greater|larger) than the model('s|s)? ", "prompt length", "message size", "token limit", "超长",
            r"reduce (the|your) (length|prompt|message|input)",
            "kv[ -]cache is full", "compared to kv size", "space in (the )?kv[ -]cache",
        ),
    ),
    (
        Kind.NO_TOOLS,
        (
            r"(not|n't) support (the )?(use of )?(tool|function)", "support tool use", "enable-auto-tool-choice",
            r"(tools?|functions?)([ _-](use|call|calls|calling|choice))?[`'\"]* (is|are) not (support|enable|allow|available)",
            "tools param requires", "--jinja", r"(unsupported|unknown|unrecognized|unexpected)[^.]{0,40}\btools?\b",
        ),
    ),
    (
        Kind.LOADING,
        (
            r"(is|still|currently|being)[ \w]{0,12} load(ing|ed)", "loading (the )?model", "warming up", "cold ?(start|boot)",
            r"model[^.]{0,80} (is |still )?(loading|initiali[sz]ing)", "starting up", "still starting", "not ready yet",
            "model is not ready",
        ),
    ),
    (
        Kind.RATE_LIMIT,
        (
            "rate[- ]?limit", "too many requests", "throttl", "tokens per min", "requests per min",
            r"no (free |idle |available )?slots?\b", r"slots? .{0,20}(unavailable|busy)", "pending requests",
            r"(server|service|engine|model) (is )?(too )?busy", "queue (is )?(full|too long)", "too many concurrent",
            r"concurren\w+ (limit|quota)", "at (full |maximum )?capacity",
        ),
    ),
    (
        Kind.KEY,
        (
            r"\b(api[ _-]?key|(access|auth|bearer) token|credential|subscription key)s?\b"
            r"[^.]{0,40}(invalid|incorrect|not valid|missing|expired|required|not found)",
            "(invalid|incorrect|missing|no|wrong) (authentication|api[ _-]?key|subscription key)",
        ),
    ),
    (
        Kind.NO_MODEL,
        (
            r"model\b.{0,120}(not found|does ?n.t exist|does not exist|not exist|is not available|no longer available)",
            r"model\b.{0,120}(not a valid model|not a supported model|has been deprecated|decommissioned)",
            "not a valid model", "(invalid|unknown|no such) model", r"no models? (is |are )?(loaded|available)",
            "api deployment for this resource",
        ),
    ),
    (
        Kind.NO_SERVICE,
        ("unexpected endpoint", "(unknown|invalid|no such) (url|path|route|endpoint)", "resource not found", "page not found"),
    ),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile("|".join(words))) for kind, words in _WORDS)

# An explicit status says what an error is, whatever words it has; others leave it open.
_STATUSES: dict[int, Kind] = {
    401: Kind.KEY, 402: Kind.QUOTA, 403: Kind.FORBIDDEN, 404: Kind.NO_SERVICE, 405: Kind.NO_SERVICE,
    408: Kind.SERVER, 409: Kind.SERVER, 413: Kind.TOO_LARGE, 425: Kind.SERVER, 429: Kind.RATE_LIMIT,
    498: Kind.RATE_LIMIT,
}  # fmt: skip
# Kinds that words or codes can mean at a status. A 5xx that speaks of a filter is still a broken server's.
_AT_SERVER_ERRORS = (Kind.MEMORY, Kind.LOADING, Kind.BAD_ANSWER, Kind.NO_TOOLS, Kind.RATE_LIMIT, Kind.TOO_LARGE)
_REQUEST_TOO_LARGE = re.compile(r"request too large|too large for")  # no wait makes it fit


def failure_kind(report: ErrorReport, *, tools: bool = False) -> Kind:
    """In which way a call failed that an endpoint answered with an error. ``tools`` when it had offered some."""
    status, said = report.status, report.said
    if status == 429:
        if _by_code(report) is Kind.QUOTA:
            return Kind.QUOTA
        return Kind.TOO_LARGE if _REQUEST_TOO_LARGE.search(said) else Kind.RATE_LIMIT
    if status is not None and 300 <= status < 400:  # on the way to nowhere
        return Kind.NO_SERVICE
    if report.page:
        return Kind.SERVER if status is not None and status >= 500 else _STATUSES.get(status or 0, Kind.NO_SERVICE)
    found = _by_code(report) or _by_words(said, tools=tools)
    if status is not None and status >= 500:
        if status == 501:
            return Kind.NO_SERVICE
        return found if found is not None and found in _AT_SERVER_ERRORS else Kind.SERVER
    named = _STATUSES.get(status) if status is not None else None
    if found is Kind.LOADING and status in (None, 202, 400, 404, 408, 409, 425):
        return found
    if named in (Kind.KEY, Kind.QUOTA, Kind.TOO_LARGE, Kind.SERVER):
        return found if found is not None and found in (Kind.CONTENT, Kind.QUOTA, Kind.NO_TOOLS) else named
    if found is not None and found is not Kind.LOADING:
        return found
    if status == 404 and "model" in said:
        return Kind.NO_MODEL
    return named or (Kind.SERVER if status is None else Kind.REQUEST)


def _by_code(report: ErrorReport) -> Kind | None:
    return next((kind for kind, codes in _CODES if not codes.isdisjoint(report.codes)), None)


def _by_words(said: str, *, tools: bool) -> Kind | None:
    for kind, pattern in _PATTERNS:
        if (tools or kind is not Kind.NO_TOOLS) and pattern.search(said):
            return kind
    return None
