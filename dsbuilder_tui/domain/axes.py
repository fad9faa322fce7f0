"""The attribute axes of a category whose plan names none."""

from __future__ import annotations

DEFAULT_AXES: dict[str, tuple[str, ...]] = {
    "persona": (
        "first-time user", "long-time customer", "busy professional", "worried parent", "older person", "student",
        "small-business owner", "someone asking for another person",
    ),
    "tone": ("neutral", "polite", "impatient", "frustrated", "cheerful", "formal"),
    "situation": (
        "ordinary", "missing detail", "several intents", "typos", "mixed case", "adversarial", "has asked before",
    ),
    "length": ("short", "medium", "long"),
    "channel": ("chat", "e-mail", "mobile app", "voice transcript"),
}  # fmt: skip
# Of cases that are written from documents: what stands there is asked for plainly.
GROUNDED_AXES = {axis: values for axis, values in DEFAULT_AXES.items() if axis != "situation"}
