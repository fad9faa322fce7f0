"""Markdown: the text as it stands, and its headings."""

from __future__ import annotations

from itertools import accumulate, pairwise

from dsbuilder_tui.sources.documents.document_text import DocumentText, Heading


def read_markdown(text: str) -> DocumentText:
    """The document with its headings (``#`` and underlined ones); what stands in a block of code is none."""
    from markdown_it import MarkdownIt

    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    # The blocks alone: what is bold or a link is of no interest.
    tokens = MarkdownIt("commonmark").disable("inline").parse(text)
    headings = []
    for opening, inside in pairwise(tokens):
        if opening.type != "heading_open" or opening.map is None or opening.level:
            continue  # a heading in a list or a quotation divides nothing
        title = " ".join(inside.content.split())
        headings.append(Heading(starts[opening.map[0]], int(opening.tag[1:]), title))
    return DocumentText(text, tuple(heading for heading in headings if heading.title))
