"""The agents SDK, kept from telling anybody anything. Import it from here: it costs seconds, so only where it is used."""

from __future__ import annotations

import logging
import os

# Before the SDK is imported: it reports to its maker's servers, with the user's key, unless told not to.
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
for _name in ("openai", "openai.agents"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # what they log must not end up on the screen

import agents  # noqa: E402
from agents.models.chatcmpl_converter import Converter  # noqa: E402
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler  # noqa: E402

agents.set_tracing_disabled(True)

__all__ = ["ChatCmplStreamHandler", "Converter", "agents"]
