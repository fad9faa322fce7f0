"""Documents of each format, as small as they can be."""

from __future__ import annotations

import io
from collections.abc import Sequence


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF with a line of text for each string of each page."""
    objects: list[bytes] = []

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    parent = 2 * len(pages) + 2  # the pages' own node comes behind them
    for lines in pages:
        shown = b"\n".join(
            b"BT /F1 11 Tf 60 %d Td (%s) Tj ET"
            % (780 - 14 * n, line.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)"))
            for n, line in enumerate(lines)
        )
        stream = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown))
        kids.append(
            add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (parent, stream, font)
            )
        )
    assert (
        add(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids)))
        == parent
    )
    root = add(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer << /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, table))
    return out.getvalue()


def word_file(blocks: Sequence[tuple[str, str] | list[list[str]]]) -> bytes:
    """A Word file: (style, text) for a paragraph, rows of cells for a table."""
    import docx

    document = docx.Document()
    for block in blocks:
        if isinstance(block, tuple):
            document.add_paragraph(block[1], style=block[0])
            continue
        table = document.add_table(rows=len(block), cols=len(block[0]))
        for row, cells in enumerate(block):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
