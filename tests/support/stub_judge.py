"""A judge model for MLflow's own scorers, on loopback, in the process that runs them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubJudge:
    """An OpenAI endpoint that answers each chat completion with what ``say`` makes of the request, as JSON.

    While it listens, ``asked`` counts the requests; the environment leads MLflow's judges to it, and keeps MLflow quiet.
    """

    def __init__(self, say: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.asked = 0
        judge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                judge.asked += 1
                said = say(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                message = {"role": "assistant", "content": json.dumps(said)}
                answer = {
                    "id": "1", "object": "chat.completion", "created": 1, "model": "stub",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                }  # fmt: skip
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def listen(self) -> None:
        """Begin to answer, until the process ends."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        os.environ |= {
            "MLFLOW_DISABLE_TELEMETRY": "true", "OPENAI_API_KEY": "none",
            "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false", "MLFLOW_GENAI_EVAL_MAX_WORKERS": "1",
            "OPENAI_API_BASE": f"http://127.0.0.1:{self._server.server_port}/v1",
        }  # fmt: skip
