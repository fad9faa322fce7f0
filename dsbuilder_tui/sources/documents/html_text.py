"""HTML pages: the text that a reader sees, with its headings."""

from __future__ import annotations

import re
from typing import Any

from dsbuilder_tui.sources.documents.document_text import DocumentText, TextBuilder, require_few_tags

_UNSEEN = frozenset(
    {"script", "style", "template", "noscript", "head", "nav", "svg", "iframe", "object", "button", "form"}
)
_BLOCKS = frozenset(
    "address article aside blockquote body dd details div dl dt figcaption figure footer header hr li main ol p pre section "
    "summary table tbody thead tfoot tr ul caption".split()
)
_HEADING = re.compile(r"h[1-6]")


def read_html(raw: bytes) -> DocumentText:
    """The page's text. Raises ``ValueError`` when there is none."""
    from lxml import etree, html

    require_few_tags(raw.count(b"<"))
    # No entities of its own, no network, no depth beyond libxml2's own bounds.
    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(raw, parser=parser)
    except etree.ParserError as error:
        raise ValueError(str(error)) from None
    out = TextBuilder()
    pending: list[str] = []
    _walk(root, out, pending)
    _flush(out, pending)
    return out.document()


def _walk(root: Any, out: TextBuilder, pending: list[str]) -> None:
    """Depth first and without recursion: pages nest as deep as they like. The stack holds (element, is its end)."""
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, ends = stack.pop()
        tag = element.tag if isinstance(element.tag, str) else ""
        if ends:
            if tag in _BLOCKS:
                _flush(out, pending)
            elif tag in ("td", "th"):
                pending.append(" | ")
            pending.append(element.tail or "")
            continue
        if tag in _UNSEEN or not tag or element.get("hidden") is not None:
            pending.append(element.tail or "")
            continue
        if _HEADING.fullmatch(tag):
            _flush(out, pending)
            out.heading(element.text_content(), int(tag[1]))
            pending.append(element.tail or "")
            continue
        if tag in _BLOCKS:
            _flush(out, pending)
        if tag == "br":
            pending.append("\n")
        elif tag == "li":
            pending.append("- ")
        pending.append(element.text or "")
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element))


def _flush(out: TextBuilder, pending: list[str]) -> None:
    lines = (" ".join(line.split()) for line in "".join(pending).split("\n"))
    pending.clear()
    out.paragraph("\n".join(line.removesuffix(" |") for line in lines if line))
