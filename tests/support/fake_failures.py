"""Errors in the words and the shapes of real endpoints: what ``FakeOpenAI.reply_for`` and ``agent_script`` can answer with.

``FAILURES`` names each with the kind that it is of. The words are those that people report; the shapes are OpenAI's, Google's
lists, vLLM's ``"object": "error"``, FastAPI's ``detail``, DashScope's, gateways with another error inside, and web pages.
"""

from __future__ import annotations

import json
from typing import Any

from dsbuilder_tui.domain.failure_kind import FailureKind as Kind
from tests.support.fake_agent import Reply

EVENTS = "text/event-stream"
NGINX = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"


def openai(
    status: int, message: str, code: str | None = None, type_: str = "invalid_request_error", **more: Any
) -> Reply:
    return Reply({"error": {"message": message, "type": type_, "param": None, "code": code, **more}}, status)


def google(status: int, message: str, word: str = "INVALID_ARGUMENT", **more: Any) -> Reply:
    return Reply([{"error": {"code": status, "message": message, "status": word, **more}}], status)


def vllm(status: int, message: str, type_: str = "BadRequestError") -> Reply:
    return Reply({"object": "error", "message": message, "type": type_, "param": None, "code": status}, status)


def page(status: int, title: str) -> Reply:
    return Reply(NGINX.format(title), status, "text/html")


def event(data: Any, name: str = "") -> Reply:
    head = f"event: {name}\n" if name else ""
    return Reply(f"{head}data: {json.dumps(data)}\n\n", kind=EVENTS)


FAILURES: dict[str, tuple[Reply, Kind]] = {
    # filters and policies
    "azure filter": (
        openai(
            400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            "content_filter", innererror={"code": "ResponsibleAIPolicyViolation"},
        ),
        Kind.CONTENT,
    ),
    "openai policy": (openai(400, "Invalid prompt: your prompt was flagged as violating our policy", "invalid_prompt"), Kind.CONTENT),
    "openrouter moderation": (
        Reply(
            {"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["harassment"]}}}, 403
        ),
        Kind.CONTENT,
    ),
    "dashscope inspection": (openai(400, "Input data may contain bad words.", "data_inspection_failed"), Kind.CONTENT),
    "deepseek risk": (openai(400, "Content Exists Risk", "invalid_request_error"), Kind.CONTENT),
    "zhipu": (openai(400, "系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"), Kind.CONTENT),
    "moonshot": (openai(400, "The request was rejected because it was considered high risk", type_="content_filter"), Kind.CONTENT),
    "xai": (
        Reply({"code": "forbidden", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK"}, 403), Kind.CONTENT,
    ),
    # too long
    "openai context": (openai(400, "maximum context length is 4096 tokens", "context_length_exceeded"), Kind.TOO_LARGE),
    "tgi": (
        Reply({"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048.", "error_type": "validation"}, 422),
        Kind.TOO_LARGE,
    ),
    "gemini long": (
        google(400, "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."), Kind.TOO_LARGE,
    ),
    "anthropic long": (openai(400, "prompt is too long: 210000 tokens > 200000 maximum"), Kind.TOO_LARGE),
    "bedrock long": (
        openai(400, 'litellm.BadRequestError: BedrockException - {"message":"Input is too long for requested model."}', "400"),
        Kind.TOO_LARGE,
    ),
    "dashscope long": (openai(400, "Range of input length should be [1, 30720]", "invalid_parameter_error"), Kind.TOO_LARGE),
    "mistral long": (
        vllm(400, "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"),
        Kind.TOO_LARGE,
    ),
    "cohere long": (Reply({"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}, 400), Kind.TOO_LARGE),
    "moonshot long": (openai(400, "Your request exceeded model token limit: 8192"), Kind.TOO_LARGE),
    "xai long": (Reply({"error": "This model's maximum prompt length is 131072 but the request contains 537812"}, 400), Kind.TOO_LARGE),
    "openai over its rate": (
        openai(429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000", "rate_limit_exceeded"),
        Kind.TOO_LARGE,
    ),
    # what the model wrote is thrown away
    "groq json": (
        openai(400, "Failed to generate JSON. Please adjust your prompt.", "json_validate_failed", failed_generation="{"),
        Kind.BAD_ANSWER,
    ),
    "groq tool": (openai(400, "Failed to call a function. Please adjust your prompt.", "tool_use_failed"), Kind.BAD_ANSWER),
    # not ready yet
    "llama.cpp loading": (Reply({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503), Kind.LOADING),
    "hf loading": (Reply({"error": "Model x/y is currently loading", "estimated_time": 20.0}, 503), Kind.LOADING),
    # busy and broken
    "gemini rate": (
        google(
            429, "You exceeded your current quota, please check your plan and billing details. Please retry in 8.1s.",
            "RESOURCE_EXHAUSTED", details=[{"@type": "RetryInfo", "retryDelay": "9s"}],
        ),
        Kind.RATE_LIMIT,
    ),
    "bedrock rate": (Reply({"message": "Too many requests", "__type": "ThrottlingException"}, 400), Kind.RATE_LIMIT),
    "anthropic busy": (Reply({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529), Kind.SERVER),
    "cloudflare": (page(502, "502 Bad Gateway"), Kind.SERVER),
    "event error": (event({"message": "CUDA out of memory", "type": "internal_error", "code": 500}, "error"), Kind.MEMORY),
    "in a choice": (
        event({"choices": [{"index": 0, "delta": {}, "error": {"code": 502, "message": "Provider overloaded"}}]}), Kind.SERVER,
    ),
    "finish error": (event({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}), Kind.SERVER),
    "beside choices": (
        event({"error": {"code": 502, "message": "Provider disconnected"}, "choices": [{"delta": {"content": ""}}]}), Kind.SERVER,
    ),
    "behind a gateway": (
        Reply(
            {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": '{"error": {"message": "slow"}}'}}}, 200
        ),
        Kind.RATE_LIMIT,
    ),
    "llama.cpp slots": (Reply({"error": {"code": 503, "message": "no slot available", "type": "unavailable_error"}}, 503), Kind.RATE_LIMIT),
    "ollama busy": (openai(503, "server busy, please try again.  maximum pending requests exceeded", type_="api_error"), Kind.RATE_LIMIT),
    "tgi busy": (Reply({"error": "Model is overloaded, queue is full", "error_type": "overloaded"}, 503), Kind.RATE_LIMIT),
    "llama.cpp cache": (openai(500, "Input prompt is too big compared to KV size. Please try increasing KV size."), Kind.TOO_LARGE),
    "llama.cpp context": (openai(500, "Context size has been exceeded.", type_="server_error"), Kind.TOO_LARGE),
    # not enough memory
    "ollama memory": (
        openai(500, "model requires more system memory (8.4 GiB) than is available (4.1 GiB)", type_="api_error"), Kind.MEMORY,
    ),
    "ollama memory as a success": (
        Reply({"error": {"message": "model requires more system memory (8.4 GiB) than is available (4.1 GiB)", "type": "api_error"}}),
        Kind.MEMORY,
    ),
    "torch memory": (
        vllm(500, "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.69 GiB total capacity)", "InternalServerError"),
        Kind.MEMORY,
    ),
    "cuda allocation": (openai(500, "llama runner process has terminated: cudaMalloc failed: out of memory"), Kind.MEMORY),
    "metal memory": (openai(500, "unable to allocate Metal buffer"), Kind.MEMORY),
    "lm studio memory": (
        Reply({"error": "Model loading was stopped due to insufficient system resources: not enough free memory"}, 400), Kind.MEMORY,
    ),
    # for a person
    "error field": (
        Reply('error: {"code":401,"message":"Invalid API key","type":"authentication_error"}\n\n', kind=EVENTS), Kind.KEY,
    ),
    "gemini key": (google(400, "API key not valid. Please pass a valid API key."), Kind.KEY),
    "nginx login": (page(401, "401 Authorization Required"), Kind.KEY),
    "azure key": (Reply({"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}, 401), Kind.KEY),
    "deepseek balance": (openai(402, "Insufficient Balance", type_="unknown_error"), Kind.QUOTA),
    "anthropic credit": (openai(400, "Your credit balance is too low to access the API."), Kind.QUOTA),
    "moonshot quota": (openai(429, "Your account is suspended", type_="exceeded_current_quota_error"), Kind.QUOTA),
    "vllm model": (event({"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}), Kind.NO_MODEL),
    "openrouter model": (Reply({"error": {"message": "foo/bar is not a valid model ID", "code": 400}}, 400), Kind.NO_MODEL),
    "ollama model": (openai(404, 'model "x" not found, try pulling it first', type_="api_error"), Kind.NO_MODEL),
    "lm studio path": (Reply({"error": "Unexpected endpoint or method. (POST /chat/completions)"}), Kind.NO_SERVICE),
    "open webui": (Reply("<!doctype html><html><head><title>Open WebUI</title></head></html>", kind="text/html"), Kind.NO_SERVICE),
    "ollama path": (Reply("404 page not found", 404, "text/plain"), Kind.NO_SERVICE),
    "fastapi path": (Reply({"detail": "Not Found"}, 404), Kind.NO_SERVICE),
    # no idea
    "in words of its own": (openai(400, "Computer says no"), Kind.REQUEST),
    "fastapi": (Reply({"detail": [{"loc": ["body", "x"], "msg": "field required", "type": "missing"}]}, 422), Kind.REQUEST),
}  # fmt: skip

NO_TOOLS = {
    "ollama": openai(400, "registry.ollama.ai/library/gemma3:latest does not support tools", type_="api_error"),
    "openrouter": Reply({"error": {"message": "No endpoints found that support tool use.", "code": 404}}, 404),
    "vllm": vllm(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    "llama.cpp": Reply(
        {"error": {"code": 500, "message": "tools param requires --jinja flag", "type": "server_error"}}, 500
    ),
    "groq": openai(400, "`tool calling` is not supported with this model"),
}

GRAMMARS = {
    "llama.cpp": openai(400, "Failed to initialize samplers: failed to parse grammar"),
    "conversion": openai(400, "JSON schema conversion failed:\nUnrecognized schema: true"),
    "xgrammar": vllm(400, "The provided JSON schema contains features not supported by xgrammar."),
    "gemini": google(
        400, "Invalid JSON payload received. Unknown name \"additionalProperties\" at 'generation_config'"
    ),
    "states": google(400, "The specified schema produces a constraint that has too many states for serving."),
    "strict": openai(400, "Extra inputs are not permitted: strict"),
    "ollama": Reply({"error": {"message": "failed to load model vocabulary required for format grammar"}}, 500),
    "words of its own": openai(400, "Computer says no"),
}
