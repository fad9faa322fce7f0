"""Server-sent events, corner by corner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.models.sse import EventStreamDecoder


def decode(raw: bytes, size: int) -> list[bytes]:
    decoder, events = EventStreamDecoder(), []
    for start in range(0, len(raw), size):
        events += decoder.feed(raw[start : start + size])
    return events + decoder.close()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b": comment\n\ndata: a\n: more\n\n", [b"a"]),
        (b"event: x\nid: 7\nretry: 5\ndata: a\n\n", [b"a"]),
        (b'data: {"x":\ndata:  1}\n\n', [b'{"x":\n 1}']),
        (b"data\n\n", [b""]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"data: no end", [b"no end"]),
        (b"data: one line\n", [b"one line"]),
        (b"data: one line\r\n", [b"one line"]),
        ("data: ☃é🚀\n\n".encode(), ["☃é🚀".encode()]),
        (b"", []),
    ],
)
def test_corners(raw: bytes, events: list[bytes], size: int) -> None:
    assert decode(raw, size) == events


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), min_size=1), max_size=5),
    st.integers(1, 9),
)
def test_any_text_in_any_pieces(texts: list[str], size: int) -> None:
    raw = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert decode(raw, size) == [text.encode() for text in texts]
