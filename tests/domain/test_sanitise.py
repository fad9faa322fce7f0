"""No control character gets out as itself."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.domain.sanitise import json_for_terminal, one_line, visible

HOSTILE = [0, 7, 8, 0x0B, 0x1B, 0x7F, 0x80, 0x9B, 0x9D, 0x202E, 0x2066, 0x200F, 0x2028, 0x61C]


def dangerous(text: str, allowed: str = "\n\t") -> bool:
    return any((ord(c) < 32 and c not in allowed) or 0x7F <= ord(c) < 0xA0 or ord(c) in HOSTILE for c in text)


@given(st.text())
def test_visible_text_is_harmless_and_keeps_the_rest(text: str) -> None:
    shown = visible(text)
    assert not dangerous(shown)
    if not dangerous(text):
        assert shown == text


def test_escape_sequences_are_shown() -> None:
    assert visible("\x1b]52;c;aGk=\x07") == "␛]52;c;aGk=␇"
    assert visible("a\x9bb\u202ec\x7f") == "a<U+009B>b<U+202E>c␡"
    assert one_line("a\nb\tc   d", 6) == "a b c…"


@given(st.text())
def test_json_keeps_its_meaning(text: str) -> None:
    line = json_for_terminal(json.dumps(text, ensure_ascii=False))
    assert not dangerous(line, allowed="")
    assert json.loads(line) == text
