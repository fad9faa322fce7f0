"""In which way a call to a model failed, as far as the endpoint lets it be known."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a call failed. The values stand in session files and in JSON lines."""

    # Another try may mend it.
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    LOADING = "loading"  # the server is not ready yet: it loads the model
    MEMORY = "memory"  # the server has not enough of it for the model, or for so many calls at once
    BAD_ANSWER = "bad_answer"  # what the model wrote was thrown away by the server, for its form
    # It concerns this request; others may pass.
    TOO_LARGE = "too_large"  # it does not fit the model's context
    CONTENT = "content"  # a content filter, or a usage policy
    REQUEST = "request"  # refused, for whatever other reason
    # Only a person can mend it.
    KEY = "key"
    FORBIDDEN = "forbidden"
    QUOTA = "quota"
    NO_MODEL = "no_model"
    NO_SERVICE = "no_service"  # there is no chat endpoint at the address
    NO_TOOLS = "no_tools"  # the model, or its server, takes no tools
