"""Passages: bounded, in order, at the places they say, and nothing of a long text is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dsbuilder_tui.sources.documents.document_text import DocumentText
from dsbuilder_tui.sources.documents.markdown_text import read_markdown
from dsbuilder_tui.sources.documents.passages import LONGEST, cut

SENTENCE = "The parcel of the customer in row {n} is sent again when it is more than ten days late. "


def test_a_passage_is_the_piece_of_the_text_that_it_says() -> None:
    content = read_markdown("# A\n\n" + "".join(SENTENCE.format(n=n) for n in range(100)))
    for passage in cut("a.md", content):
        assert content.text[passage.start : passage.end] == passage.text


def test_long_sections_are_cut_between_sentences_into_pieces_of_about_the_same_length() -> None:
    passages = cut("a.md", DocumentText("".join(SENTENCE.format(n=n) for n in range(100))))
    lengths = [len(passage.text) for passage in passages]
    assert max(lengths) <= LONGEST
    assert max(lengths) < 2 * min(lengths)
    text = " ".join(passage.text for passage in passages)
    assert all(f"in row {n} is" in text for n in range(100))
    assert all(passage.text.startswith("The parcel") and passage.text.endswith("late.") for passage in passages)


def test_a_table_is_cut_between_its_rows() -> None:
    table = "".join(f"| country number {n} | it is refunded within {n} days. Always | yes |\n" for n in range(80))
    passages = cut("a.md", DocumentText(table))
    assert len(passages) > 1
    assert all(passage.text.startswith("| country") and passage.text.endswith("|") for passage in passages)


def test_short_sections_stand_together_under_the_heading_that_they_share() -> None:
    text = "# Shop\n\n" + "".join(
        f"## Question {n}\n\nThe answer to this one is short, as it should be.\n\n" for n in range(4)
    )
    [passage] = cut("faq.md", read_markdown(text))
    assert passage.heading == "Shop"
    assert "Question 3" in passage.text


def test_what_looks_like_a_heading_in_a_block_of_code_is_none() -> None:
    body = "The line below is a comment in a shell script, and no heading of this document. " * 5
    passages = cut("a.md", read_markdown(f"# Real\n\n{body}\n\n```sh\n# not a heading\n```\n\n{body}"))
    assert {passage.heading for passage in passages} == {"Real"}


def test_what_has_no_words_is_no_passage() -> None:
    assert cut("a.md", DocumentText("| --- | --- |\n" * 40)) == []


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab .!?\n#|-`>*1"), max_size=6000))
def test_passages_lie_in_order_and_are_bounded(text: str) -> None:
    content = read_markdown(text)
    passages = cut("a.md", content)
    places = [(passage.start, passage.end) for passage in passages]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert all(0 < end - start <= LONGEST for start, end in places)
