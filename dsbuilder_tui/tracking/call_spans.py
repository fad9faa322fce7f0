"""Model calls as spans of MLflow's, with the times that they had: one trace a call, many in one request.

MLflow's public ways of tracing take the time of now, keep each trace in the memory of the process, and send it by itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.traced_call import MOST_TEXT, TracedCall
from dsbuilder_tui.models.redaction import StreamRedactor, hide
from dsbuilder_tui.tracking.case_record import CALLER_TAG, SESSION_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Span

_TAG = "mlflow.traceTag."
_FINE = frozenset({CallOutcome.OK, CallOutcome.TRUNCATED, CallOutcome.CANCELLED})


class CallSpans:
    """Writes calls into an experiment, without the secrets whose ``forms`` are given. Raises what MLflow raises.

    A call that is written twice is there once.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, session: str, forms: tuple[str, ...]) -> None:
        """``session`` is our name of it in MLflow, which each trace has as a tag."""
        self._client: Any = client
        self._experiment_id, self._session, self._forms = experiment_id, session, forms

    def write(self, calls: Sequence[TracedCall]) -> None:
        self._client._tracing_client.log_spans(self._experiment_id, [self._span(call) for call in calls])

    def _span(self, call: TracedCall) -> Span:
        from mlflow.entities import Span

        outputs = {"choices": [{"message": {"role": "assistant", "content": self._shown(call.answer)}}]}
        messages = [("system", call.system), *call.messages] if call.system else call.messages
        used = {"input_tokens": call.usage.prompt_tokens, "output_tokens": call.usage.completion_tokens}
        values: dict[str, Any] = {
            "mlflow.traceRequestId": f"tr-{call.key}",
            "mlflow.experimentId": self._experiment_id,
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.spanInputs": {
                "messages": [{"role": role, "content": self._shown(text)} for role, text in messages]
            },
            "mlflow.spanOutputs": outputs,
            "mlflow.llm.model": self._shown(call.model),
            _TAG + SESSION_TAG: self._session,
            _TAG + CALLER_TAG: call.caller,
            "outcome": call.outcome.value,
            "retries": [self._shown(why) for why in call.retries],
        }
        if any(used.values()):
            values["mlflow.chat.tokenUsage"] = {**used, "total_tokens": sum(used.values())}
            values["tokens_estimated"] = call.usage.estimated
        if call.batch:
            values |= {"batch": call.batch, "slots": call.slots, "delivered": call.delivered}
            values["category"] = values[f"{_TAG}category"] = self._shown(call.category)
        if call.first_text is not None:
            values["first_text_s"] = round(call.first_text, 3)
        if call.detail:
            values["detail"] = self._shown(call.detail)
        fine = call.outcome in _FINE
        return Span.from_dict(
            {
                "trace_id": _as_bytes(call.key), "span_id": _as_bytes(call.key[:16]), "parent_span_id": "",
                "name": call.caller, "events": [],
                "start_time_unix_nano": _nanoseconds(call.started),
                "end_time_unix_nano": _nanoseconds(max(call.started, call.ended)),
                "status": {
                    "code": "STATUS_CODE_OK" if fine else "STATUS_CODE_ERROR",
                    "message": "" if fine else self._shown(call.detail),
                },
                "attributes": {name: json.dumps(value) for name, value in values.items()},
            }
        )  # fmt: skip

    def _shown(self, text: str) -> str:
        """Without secrets, also without the first half of one that a cut has left at the end."""
        if len(text) < MOST_TEXT:
            return hide(text, self._forms)
        return StreamRedactor(self._forms).take(text) + "…"


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e6) * 1000  # a float holds no more of a time of today than microseconds


def _as_bytes(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()
