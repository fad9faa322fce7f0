"""Pasted text is text: no escape in it is taken for a key, however the terminal cuts what it sends."""

from __future__ import annotations

import pytest
from textual import events
from textual.message import Message

from dsbuilder_tui.tui.paste_parser import ESCAPE_PICTURE, PasteParser
from tests.support.hostile import ALL, CORPUS

KEYS = ("\x1b[A", "\x1b[27u", "\x1bOP", "\x1b[<35;3;4M", "\x1b[200~", "\r", "\x1b", "\x1b[201", "\x1b\x1b[20")


def heard(*pieces: str) -> list[Message]:
    parser = PasteParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def shown(messages: list[Message]) -> list[tuple[str, str]]:
    return [
        ("paste", message.text) if isinstance(message, events.Paste) else ("key", message.key)
        for message in messages
        if isinstance(message, events.Paste | events.Key)
    ]


@pytest.mark.parametrize("size", (1, 2, 3, 5, 7, 64, 5000))
def test_a_paste_is_one_text_in_whatever_pieces_it_comes(size: int) -> None:
    for text in (ALL, *CORPUS, *KEYS):
        typed = f"a\x1b[200~{text}\x1b[201~b\x1b[Bc"
        pieces = [typed[start : start + size] for start in range(0, len(typed), size)]
        wanted = text.replace("\x1b", ESCAPE_PICTURE).replace("\x00", "")
        assert shown(heard(*pieces)) == [
            ("key", "a"),
            ("paste", wanted),
            ("key", "b"),
            ("key", "down"),
            ("key", "c"),
        ], text


def test_two_pastes_and_the_keys_around_them_stay_apart() -> None:
    typed = "\x1b[200~one\x1b]0;x\x07\x1b[201~\x1b[A\x1b[200~two\x1b[201~\x1b[27u"
    wanted = [("paste", f"one{ESCAPE_PICTURE}]0;x\x07"), ("key", "up"), ("paste", "two"), ("key", "escape")]
    assert shown(heard(typed)) == wanted
    assert shown(heard(*typed)) == wanted
