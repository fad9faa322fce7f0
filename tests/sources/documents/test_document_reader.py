"""Documents of every format become the same kind of passages; what cannot be read is named, and nothing else is lost."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.documents.document_reader import read_documents, require_documents
from tests.support.documents import pdf, word_file

REFUND = "A refund is paid within fourteen days to the card that was used, and never in cash."
LATE = "A parcel that is more than ten days late is sent again free of charge, or refunded in full."


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


FILES: dict[str, str | bytes] = {
    "policy.md": f"# Policy\n\n## Refunds\n\n{REFUND * 4}\n\n## Late parcels\n\n{LATE * 4}\n",
    "policy.txt": f"{REFUND}\n\n{LATE}\n",
    "policy.rst": f"Refunds\n=======\n\n{REFUND}\n\n{LATE}\n",
    "policy.html": f"<html><head><title>x</title><script>var refund = 'no';</script></head><body><nav>Home</nav><h1>Policy</h1>"
    f"<h2>Refunds</h2><p>{REFUND}</p><h2>Late parcels</h2><div>{LATE}</div></body></html>",
    "policy.pdf": pdf([["Refunds", REFUND], ["Late parcels", LATE]]),
    "policy.docx": word_file([("Heading 1", "Policy"), ("Heading 2", "Refunds"), ("Normal", REFUND), ("Normal", LATE)]),
    "utf16.txt": f"{REFUND}\n\n{LATE}".encode("utf-16"),
    "windows.txt": f"{REFUND}\n\n{LATE} Größe, “quoted”.".encode("cp1252"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_format_keeps_what_stands_in_it(name: str, tmp_path: Path) -> None:
    found = read_documents(written(tmp_path, name, FILES[name]))
    text = "\n".join(passage.text for passage in found.passages)
    assert REFUND in text
    assert LATE in text
    assert "var refund" not in text
    assert all(passage.document == name for passage in found.passages)


def test_passages_are_named_by_the_headings_above_them(tmp_path: Path) -> None:
    found = read_documents(written(tmp_path, "policy.md", FILES["policy.md"]))
    assert [passage.heading for passage in found.passages] == ["Policy › Refunds", "Policy › Late parcels"]


def test_the_same_files_give_the_same_passages_wherever_they_lie(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        for name, content in FILES.items():
            written(tmp_path / folder / "docs", name, content)
    first, second = (read_documents(tmp_path / folder / "docs") for folder in ("one", "other"))
    assert first == second
    assert len({passage.id for passage in first.passages}) == len(first.passages)


def test_a_text_that_stands_in_several_documents_is_one_passage(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        written(tmp_path, name, REFUND)
    assert [passage.document for passage in read_documents(tmp_path).passages] == [f"{tmp_path.name}/a.txt"]


def test_a_table_of_a_word_file_is_read_row_by_row(tmp_path: Path) -> None:
    rows = [["Country", "Days for a refund"], ["Germany", "14"], ["France", "30"], ["Everywhere else on the map", "60"]]
    found = read_documents(written(tmp_path, "t.docx", word_file([("Normal", REFUND), rows])))
    assert "France | 30" in found.passages[0].text


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pdf", b"%PDF-1.4 nothing more", "damaged"),
        ("a.pdf", pdf([[]]), "no text"),
        ("a.docx", b"PK no zip", "no Word file"),
        ("a.docx", b"", "no Word file"),
        ("a.html", b"", "empty"),
        ("a.md", b"", "nothing in it"),
        ("a.md", b"# Title only", "nothing in it"),
        ("a.txt", b"\x00\x01\x02\x00", "no text"),
        ("a.xlsx", b"x", "no document"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_way_out(name: str, content: bytes, why: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(InputError, match=why) as caught:
        read_documents(path)
    assert caught.value.hint


def test_one_broken_document_does_not_cost_the_others(tmp_path: Path) -> None:
    written(tmp_path, "bad.pdf", b"%PDF-1.4 nothing more")
    written(tmp_path, "good.md", FILES["policy.md"])
    found = read_documents(tmp_path)
    assert {passage.document for passage in found.passages} == {f"{tmp_path.name}/good.md"}
    assert any("bad.pdf" in note for note in found.notes)


def test_a_page_of_millions_of_tags_is_not_built(tmp_path: Path) -> None:
    tags = b"<p/>" * 1_100_000
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", tags)
    written(tmp_path, "a.html", b"<html><body>words" + tags)
    for name in ("a.docx", "a.html"):
        with pytest.raises(InputError, match="more than 1,000,000 tags"):
            read_documents(tmp_path / name)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\x00" * (65 * 1024 * 1024))
    with pytest.raises(InputError, match="unpacks to more than"):
        read_documents(written(tmp_path, "bomb.docx", packed.getvalue()))


def test_entities_of_a_word_file_are_not_expanded(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret.txt", "the secret of the house, which nobody may read")
    source = io.BytesIO(word_file([("Normal", REFUND)]))
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "word/document.xml":
                data = data.replace(b"?>", b'?><!DOCTYPE d [<!ENTITY x SYSTEM "file://%s">]>' % str(secret).encode(), 1)
                data = data.replace(b"A refund", b"&x; A refund")
            new.writestr(entry, data)
    try:
        found = read_documents(written(tmp_path, "xxe.docx", out.getvalue())).passages
    except InputError:
        return
    assert all("secret of the house" not in passage.text for passage in found)


def test_what_may_hold_keys_or_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    outside = written(tmp_path, "outside.md", LATE)
    docs = tmp_path / "docs"
    written(docs, "policy.md", REFUND)
    written(docs, "credentials.md", "the password is swordfish, and nobody else must ever come to know of it")
    written(docs, ".hidden.md", "what is hidden is not meant to be asked about by anybody at all")
    (docs / "link.md").symlink_to(outside)
    assert [passage.text for passage in read_documents(docs).passages] == [REFUND]


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder .*docs"):
        read_documents(tmp_path / "docs")


def test_a_folder_without_documents_says_so(tmp_path: Path) -> None:
    written(tmp_path, "picture.png", b"\x89PNG")
    with pytest.raises(InputError, match="nothing in .* is a document"):
        read_documents(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.sampled_from([".md", ".txt", ".html", ".pdf", ".docx"]), content=st.binary(max_size=600))
def test_any_bytes_are_passages_or_a_clear_error(end: str, content: bytes, tmp_path: Path) -> None:
    try:
        read_documents(written(tmp_path, f"any{end}", content))
    except InputError as error:
        assert error.hint


SECTIONS = "".join(
    f"# {chapter}\n\n## {name}\n\nUnder {name} a customer of {chapter} waits {len(name)} days before anything is done, and "
    f"after that the team of {chapter} answers within {len(chapter)} hours and says why it took so long to say anything. "
    f"What was sent in the meantime is kept for some weeks by the team of {name}, and then it is destroyed.\n\n"
    for chapter, names in (("Refunds", ("Late parcels", "Broken goods")), ("Orders", ("Late parcels", "Invoices")))
    for name in names
)


@pytest.mark.parametrize(
    ("place", "headings"),
    [
        ("Invoices", ["Orders › Invoices"]),
        ("orders › invoices", ["Orders › Invoices"]),
        ("Refunds › Late parcels", ["Refunds › Late parcels"]),
        ("Late  parcels", ["Refunds › Late parcels", "Orders › Late parcels"]),
        ("Refunds", ["Refunds › Late parcels", "Refunds › Broken goods"]),
        ("4", ["Orders › Invoices"]),
    ],
)
def test_a_section_of_a_document_is_a_source_of_its_own(place: str, headings: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, "rules.md", SECTIONS)
    whole = read_documents(path).passages
    found = read_documents(f"{path}#{place}").passages
    assert [passage.heading for passage in found] == headings
    assert {passage.id for passage in found} <= {passage.id for passage in whole}  # the very same passages
    require_documents([f"{path}#{place}"])


@pytest.mark.parametrize("place", ["Vouchers", "0", "5", "Refunds › Invoices"])
def test_a_section_that_is_not_there_is_named(place: str, tmp_path: Path) -> None:
    path = written(tmp_path, "rules.md", SECTIONS)
    with pytest.raises(InputError, match="no heading or passage .*rules.md"):
        read_documents(f"{path}#{place}")


def test_a_name_with_a_hash_in_it_is_a_name(tmp_path: Path) -> None:
    path = written(tmp_path, "rules #2.md", REFUND)
    assert [passage.text for passage in read_documents(path).passages] == [REFUND]
    with pytest.raises(InputError, match="no file or folder"):
        require_documents([str(tmp_path / "nowhere.md#Late parcels")])
