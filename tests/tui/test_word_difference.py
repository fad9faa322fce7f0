"""Two texts beside each other: which of their words differ, what is folded, and how a conversation reads."""

from __future__ import annotations

from dsbuilder_tui.tui.paint.word_difference import Pieces, readable, word_diff


def said(pieces: Pieces, mark: str) -> list[str]:
    return [text.strip() for text, kind in pieces if kind == mark]


def test_a_word_diff_folds_what_is_long_and_alike() -> None:
    story = " ".join(f"word{n}" for n in range(200))
    left, right = word_diff(f"{story} by Monday {story}", f"{story} by friday {story}")
    assert said(left, "differs") == ["Monday"] and said(right, "differs") == ["friday"]
    assert [text.strip() for text in said(left, "folded")] == ["⋯ 186 words alike ⋯", "⋯ 185 words alike ⋯"]
    shown = "".join(text for text, _ in left)
    assert "word199 by Monday word0" in shown and "word100" not in shown
    same, _ = word_diff(story, story)
    assert same == [(story, "same")]  # nothing differs, so nothing stands beside a change


def test_texts_too_long_to_be_lined_up_are_still_compared() -> None:
    left = " ".join(f"a{n}" for n in range(3000))
    right = " ".join(f"b{n}" for n in range(2999)) + " a2000"
    ours, theirs = word_diff(left, right)
    assert "a2000" in "".join(said(ours, "same")) and "a1999" in "".join(said(ours, "differs"))
    assert "a2000" not in "".join(said(theirs, "differs"))


def test_a_conversation_is_read_turn_by_turn() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "agent", "text": "Hello"}]
    assert readable({"messages": turns}) == "user: Hi\nagent: Hello"
    assert readable({"messages": turns, "n": 2}) == "messages: user: Hi\nagent: Hello\nn: 2"
    assert readable({"odd": [{"role": 1}]}) == '[{"role": 1}]' and readable({"q": "as is"}) == "as is"
    assert readable("raw") == "raw"
