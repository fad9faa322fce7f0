"""A small application that traces itself to MLflow, in a process of its own: ``python mlflow_traces.py URI EXPERIMENT KIND …``.

``KIND`` is ``requests`` (single questions, some twice, with personal data), ``talks`` (conversations by session), ``odd``
(inputs that say nothing of a user) or ``mixed``.
"""

from __future__ import annotations

import os
import sys

from dsbuilder_tui.tracking.case_record import CALLER_TAG

ORDERS = [
    "Where is my order #{n}? It should have been here on Monday.",
    "My parcel {n} has not come yet, can you look where it is?",
    "The tracking of order {n} has not changed since last week.",
    "When will the delivery {n} be here, and can I still change the address?",
]
REFUNDS = [
    "I want my money back for invoice {n}, the lamp is broken.",
    "How long does a refund take? I sent the shoes back, return {n}.",
    "You charged me twice, please refund one of the two payments, number {n}.",
]
PERSONAL = [
    "My name is Tobias Hellwig, write to tobias.hellwig@posteo.de about order 77411.",
    "Call me at +49 171 8841123 when the parcel is here.",
    "My card 4539 5787 6362 1486 was charged, please check.",
]


def main(uri: str, experiment: str, kind: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)

    @mlflow.trace
    def answer(question: str, channel: str = "web") -> str:
        mlflow.update_current_trace(tags={"channel": channel})
        return "We look into it."

    @mlflow.trace
    def chat(messages: list[dict[str, str]], session: str) -> str:
        mlflow.update_current_trace(metadata={"mlflow.trace.session": session})
        return f"Noted: {messages[-1]['content'][:20]}"

    @mlflow.trace
    def recompute(limit: int) -> int:
        return limit

    @mlflow.trace
    def call_of_a_worker(messages: list[dict[str, str]]) -> str:
        """As dsbuilder notes its own calls."""
        mlflow.update_current_trace(tags={CALLER_TAG: "worker"})
        return "[]"

    call_of_a_worker([{"role": "user", "content": "Write 20 cases about refunds."}])
    if kind in ("requests", "mixed"):
        for n in range(24):
            answer(ORDERS[n % 4].format(n=40_000 + 7 * n), "app" if n % 3 == 0 else "web")
        for n in range(12):
            answer(REFUNDS[n % 3].format(n=90_000 + 11 * n))
        for text in (*PERSONAL, PERSONAL[0]):
            answer(text)
    if kind in ("talks", "mixed"):
        for n in range(8):
            said = [{"role": "user", "content": f"Hello, order {50_000 + n} is late."}]
            reply = chat(said, f"s{n}")
            follow_up = {"role": "user", "content": f"It is order {50_000 + n}, from Tuesday. Where is it now?"}
            chat([*said, {"role": "assistant", "content": reply}, follow_up], f"s{n}")
    if kind in ("odd", "mixed"):
        for n in range(5):
            recompute(n)


if __name__ == "__main__":
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    for place in range(1, len(sys.argv), 3):
        main(*sys.argv[place : place + 3])
