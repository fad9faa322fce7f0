"""``check`` finds what is wrong with a dataset, tells where, and finds nothing in a good one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import check
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.lint import CheckCode, CheckReport, Repair, Severity
from dsbuilder_tui.lint.baseline import write_baseline
from dsbuilder_tui.lint.encoding_faults import encoding_fault, mended
from dsbuilder_tui.lint.personal_data import personal_data
from tests.support.process import COMMAND, command, fake_endpoint

PLAN = parse_plan(
    {
        "dataset_name": "t",
        "target": {"tools": {"lookup_order": ["order_id: str"]}},
        "categories": [{"name": "orders", "count": 5, "validators": [{"length": {"max_words": 12}}]}],
    }
)
GOOD: list[dict[str, Any]] = [
    {
        "inputs": {"query": "Where is my order #12345?"},
        "expectations": {"expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "12345"}}]},
        "tags": {"case_id": "a", "category": "orders"},
    },
    {
        "inputs": {"query": "Can I send the lamp back after 30 days?"},
        "expectations": {"expected_facts": ["Returns are taken within 30 days."]},
        "tags": {"case_id": "b", "category": "orders"},
    },
    {
        "inputs": {"query": "My parcel came damaged, write to me at jo@example.com."},
        "expectations": {"guidelines": ["Asks for a photo."]},
        "tags": {"case_id": "c", "category": "orders"},
    },
]


def changed(place: int, **parts: Any) -> dict[str, Any]:
    row = json.loads(json.dumps(GOOD[place]))
    for name, value in parts.items():
        if name in ("query", "case_id"):
            row["inputs" if name == "query" else "tags"][name] = value
        else:
            row[name] = value
    return dict(row)


def written(path: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return path


def codes(report: CheckReport) -> list[tuple[str, int]]:
    return [(finding.code.name, finding.line) for finding in report.findings]


def test_a_good_dataset_is_clean(tmp_path: Path) -> None:
    report = check(written(tmp_path / "x.jsonl", *GOOD), plan=PLAN)
    assert codes(report) == [] and report.is_clean(Severity.NOTE) and report.rows == 3


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (changed(0, case_id="d"), CheckCode.EXACT_REPEAT),
        (changed(0, case_id="d", query="where is my order #12345 ?"), CheckCode.NEAR_REPEAT),
        (changed(0, case_id="d", expectations={"expected_facts": ["It is lost."]}), CheckCode.CONTRADICTION),
        (changed(1, case_id="d", query="can I send the lamp back, after 30 days",
                 expectations={"returns": "no"}), CheckCode.CONTRADICTION),
        (changed(2, case_id="b", query="The app crashes when I log in."), CheckCode.DUPLICATE_ID),
        (changed(2, case_id="d", query="I am [customer name] and cannot log in."), CheckCode.PLACEHOLDER),
        (changed(2, case_id="d", query="What is in order #777?", expectations={"order_id": "778"}), CheckCode.NOT_IN_INPUT),
        (changed(2, case_id="d", query="The app crashes when I log in.", expectations={}), CheckCode.NO_EXPECTATION),
        (changed(2, case_id="d", query="What is in order #777?", expectations={
            "expected_tool_calls": [{"name": "find_order", "arguments": {"order_id": "777"}}]}), CheckCode.TOOL_CALL),
        (changed(2, case_id="d", query="What is in order #777?", expectations={
            "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order": "777"}}]}), CheckCode.TOOL_CALL),
        (changed(2, case_id="d", query="The app crashes, reach me at hans.meier@gmail.com"), CheckCode.PERSONAL_DATA),
        (changed(2, case_id="d", query="Das CafÃ© ist geschlossen"), CheckCode.ENCODING),
        (changed(2, case_id="d", query="The app\x07 crashes"), CheckCode.ENCODING),
        ("{not json", CheckCode.UNREADABLE),
        ({"tags": {"category": "orders"}, "inputs": {}}, CheckCode.UNREADABLE),
        (changed(2, case_id="d", query="a " * 30), CheckCode.OTHER_RULE),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_found_where_it_is(tmp_path: Path, row: dict[str, Any] | str, code: CheckCode) -> None:
    report = check(written(tmp_path / "x.jsonl", *GOOD, row), plan=PLAN)
    assert codes(report) == [(code.name, 4)]
    (finding,) = report.findings
    assert finding.sentence.endswith((".", "!", "?")) and not report.is_clean(Severity.WARNING)


def test_what_another_id_makes_another_case_is_no_contradiction(tmp_path: Path) -> None:
    other = changed(
        0, case_id="d", query="Where is my order #777?",
        expectations={"expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "777"}}]},
    )  # fmt: skip
    assert codes(check(written(tmp_path / "x.jsonl", *GOOD, other), plan=PLAN)) == []


def test_near_cases_on_both_sides_of_a_split(tmp_path: Path) -> None:
    rows = [
        changed(0, split="test"), changed(1, split="dev"), changed(2, split="test"),
        changed(1, split="test", case_id="d", query="Can I send the lamp back after 90 days?",
                expectations={"expected_facts": ["No."]}),
        changed(2, split="dev", case_id="e", query="The app crashes when I log in."),
    ]  # fmt: skip
    path = written(tmp_path / "x.jsonl", *rows)
    assert codes(check(path, plan=PLAN)) == [("SPLIT_LEAK", 4)]
    elsewhere = written(tmp_path / "y.jsonl", *({"part": row.pop("split"), **row} for row in rows))
    assert codes(check(elsewhere, plan=PLAN)) == []
    assert codes(check(elsewhere, plan=PLAN, split_field="part")) == [("SPLIT_LEAK", 4)]


def test_faults_of_the_dataset_as_a_whole(tmp_path: Path) -> None:
    texts = [
        "Where is it?",
        "My lamp broke.",
        "Can I pay later?",
        "The app crashes.",
        "Is it waterproof?",
        "Who are you?",
    ]
    same = [{"inputs": {"q": text}, "expectations": {"polite": True}, "tags": {"category": "a"}} for text in texts * 1]
    thin = {"inputs": {"q": "Do you ship to Norway?"}, "expectations": {"answer": "Yes."}, "tags": {"category": "b"}}
    found = check(written(tmp_path / "x.jsonl", *same, thin))
    assert codes(found) == [("CONSTANT_EXPECTATION", 1)]
    many = [{"inputs": {"q": f"{a} {b}"}, "expectations": {"n": a}, "tags": {"category": "a"}}
            for a in ("red", "blue", "old", "new") for b in ("boats", "cars", "towns", "songs", "roofs", "dogs")]  # fmt: skip
    found = check(written(tmp_path / "y.jsonl", *many, thin))
    assert ("THIN_CATEGORY", 0) in codes(found) and CheckReport.is_clean(
        CheckReport(source="", shape="", rows=0, categories={}, findings=tuple(
            finding for finding in found.findings if finding.code is CheckCode.THIN_CATEGORY))
    )  # fmt: skip


def test_fixes_remove_repeats_mend_characters_and_leave_the_rest_as_it_was(tmp_path: Path) -> None:
    odd = '{ "inputs" : {"query": "1.0 is not 1", "n": 1.0}, "expectations": {"k": "v"} }'
    rows = [*GOOD, odd, changed(0, case_id="d"), "{broken", changed(2, case_id="e", query="Das CafÃ© ist zu")]
    path, out = written(tmp_path / "x.jsonl", *rows), tmp_path / "fixed.jsonl"
    before = path.read_bytes()
    report = check(path, fixed=out)
    assert path.read_bytes() == before and report.fixed == {"removed": 1, "mended": 1}
    lines, old = out.read_text().splitlines(), path.read_text().splitlines()
    assert lines[:5] == [*old[:4], "{broken"] and len(lines) == 6
    assert json.loads(lines[5])["inputs"]["query"] == "Das Café ist zu"
    again = check(out)
    assert not {CheckCode.EXACT_REPEAT, CheckCode.ENCODING} & set(again.counts)


def test_ids_that_occur_again_are_renumbered_each_in_its_own_way(tmp_path: Path) -> None:
    texts = (
        "Where is it?",
        "My lamp broke.",
        "Can I pay later?",
        "The app crashes.",
        "Is it waterproof?",
        "Who are you?",
    )
    named = [{"inputs": {"q": text}, "tags": {"case_id": name}} for text, name in zip(
        texts, ("a", "a", "a-2", "a", "b", " b"), strict=True)]  # fmt: skip
    out = tmp_path / "fixed.jsonl"
    report = check(written(tmp_path / "x.jsonl", *named), fixed=out)
    ids = [json.loads(line)["tags"]["case_id"] for line in out.read_text().splitlines()]
    assert ids == ["a", "a-3", "a-2", "a-4", "b", "b-2"]
    assert report.fixed is not None and report.fixed[Repair.RENUMBERED] == 3
    assert next(c.as_dict() for c in report.changes) == {
        "line": 2, "repair": "renumbered", "path": "tags.case_id", "before": "a", "after": "a-3",
    }  # fmt: skip
    assert CheckCode.DUPLICATE_ID not in check(out).counts
    numbered = [{"id": n, "inputs": {"q": text}} for text, n in zip(texts, (7, 7, 12, 7, 12, 3), strict=True)]
    check(written(tmp_path / "y.jsonl", *numbered), fixed=out)
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == [7, 13, 12, 14, 15, 3]
    padded = [{"id": n, "inputs": {"q": text}} for text, n in zip(texts[:3], ("007", "007", "008"), strict=True)]
    check(written(tmp_path / "z.jsonl", *padded), fixed=out)
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["007", "009", "008"]


def test_what_is_the_same_once_it_is_mended_is_there_once_and_keeps_its_id(tmp_path: Path) -> None:
    rows = [changed(0), changed(0, query="  Where is my order #12345?\u200b"), changed(1), changed(1, case_id="a")]
    out = tmp_path / "fixed.jsonl"
    report = check(written(tmp_path / "x.jsonl", *rows), fixed=out)
    assert report.fixed == {"removed": 2}
    assert out.read_text().splitlines() == [json.dumps(GOOD[0]), json.dumps(GOOD[1])]


def test_blanks_are_taken_from_around_a_text_and_never_out_of_it(tmp_path: Path) -> None:
    code = "    if x:\n        return  x\n"
    row = {
        "inputs": {
            "query": "\ufeff Who  are you?\u00a0",
            "code": f"\u200b{code}",
            "only": "  ",
            "zwj": "\u200dمی\u200cخواهم",
        },
        "expectations": {"expected_facts": ["A bot. "]},
    }
    raw = '{"inputs": {"q": " large "}, "n": 123456789012345678901234567890, "f": 1.50, "g": [NaN]}'
    out = tmp_path / "fixed.jsonl"
    report = check(written(tmp_path / "x.jsonl", row, raw), fixed=out)
    first, second = out.read_text().splitlines()
    assert json.loads(first) == {
        "inputs": {**row["inputs"], "query": "Who  are you?", "code": code}, "expectations": {"expected_facts": ["A bot."]},
    }  # fmt: skip
    assert second == '{"inputs": {"q": "large"}, "n": 123456789012345678901234567890, "f": 1.5, "g": [NaN]}'
    assert report.fixed == {"trimmed": 2}
    assert [(c.line, c.path) for c in report.changes] == [
        (1, "inputs.query"), (1, "inputs.code"), (1, "expectations.expected_facts.0"), (2, "inputs.q"),
    ]  # fmt: skip


@pytest.mark.parametrize(("ending", "divider", "encoding"), [("\n", ",", "utf-8"), ("\r\n", ";", "cp1252")])
def test_a_table_is_mended_cell_by_cell(tmp_path: Path, ending: str, divider: str, encoding: str) -> None:
    lines = [
        ["id", "question", "expected_output"],
        ["1", "Wo ist das Café?", "Dort."],
        ["1", ' "Wo" ist die TÃ¼r im Café? ', "Hier."],
        ["3", "  =1+1", "2"],
        ["4", "Wo ist das Café?", "Dort."],
    ]

    def table(rows: list[list[str]]) -> bytes:
        cells = [
            [f'"{cell.replace(chr(34), chr(34) * 2)}"' if chr(34) in cell else cell for cell in row] for row in rows
        ]
        return "".join(divider.join(row) + ending for row in cells).encode(encoding)

    path = tmp_path / "x.csv"
    path.write_bytes(table(lines))
    path.chmod(0o640)
    report = check(path, fixed=path)
    assert path.read_bytes() == table([*lines[:2], ["5", '"Wo" ist die Tür im Café?', "Hier."], lines[3]])
    assert path.stat().st_mode & 0o777 == 0o640
    assert report.fixed == {"mended": 1, "trimmed": 1, "renumbered": 1, "removed": 1}
    check(path, fixed=tmp_path / "y.jsonl")
    assert json.loads((tmp_path / "y.jsonl").read_text().splitlines()[1])["question"] == '"Wo" ist die Tür im Café?'


def test_what_has_no_lines_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([GOOD[0], changed(0, case_id="z"), GOOD[1]]))
    before = path.read_bytes()
    with pytest.raises(InputError, match="does not hold a record a line"):
        check(path, fixed=path)
    assert path.read_bytes() == before
    assert check(path, fixed=tmp_path / "y.jsonl").fixed == {"removed": 1}
    assert len((tmp_path / "y.jsonl").read_text().splitlines()) == 2


def test_what_was_changed_stands_in_the_report(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", GOOD[0], changed(1, case_id="a"), changed(0, case_id="d"))
    done = command("check", path, "--in-place", "--json", "--fail-on", "error", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["fixed"] == {"removed": 1, "renumbered": 1, "mended": 0, "trimmed": 0}
    assert told["changes"] == [
        {"line": 2, "repair": "renumbered", "path": "tags.case_id", "before": "a", "after": "a-2"},
        {"line": 3, "repair": "removed", "other_line": 1},
    ]
    again = command("check", path, "--in-place", cwd=tmp_path)
    assert again.returncode == 0 and "there was nothing to mend" in again.stdout
    assert command("check", "-", "--in-place", cwd=tmp_path).returncode == 2
    assert command("check", path, "--in-place", "--fix", "y.jsonl", cwd=tmp_path).returncode == 2


def test_of_many_findings_the_first_are_told(tmp_path: Path) -> None:
    rows = [{"inputs": {"q": f"I am [customer name] and have {n} questions about {n} things."}} for n in range(23)]
    lines = list(check(written(tmp_path / "x.jsonl", *rows)).lines())
    assert "  … and 13 more" in lines and sum(line.startswith("  line ") for line in lines) >= 10


def test_a_baseline_hides_what_is_known_and_follows_rows_that_move(tmp_path: Path) -> None:
    bad = changed(2, case_id="d", query="I am [customer name].")
    path, known = written(tmp_path / "x.jsonl", *GOOD, bad), tmp_path / "known.json"
    assert write_baseline(known, check(path).findings) == 1
    written(path, bad, *GOOD, changed(1, case_id="e", query="And [order number]?"))
    report = check(path, baseline=known)
    assert codes(report) == [("PLACEHOLDER", 5)] and report.known == 1
    for content in ("", "[]", "{}", '{"dsbuilder_check_baseline": 2, "known": {}}', "[" * 5000):
        known.write_text(content)
        with pytest.raises(InputError, match="no baseline"):
            check(path, baseline=known)
    with pytest.raises(InputError, match="cannot be read"):
        check(path, baseline=tmp_path / "none.json")


def test_sarif_has_a_rule_for_each_result(tmp_path: Path) -> None:
    report = check(written(tmp_path / "x.jsonl", *GOOD, changed(0, case_id="d"), "{broken"))
    (run,) = report.as_sarif("1.2.3")["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == {"DS101", "DS303"} <= rules
    assert [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]] == [4, 5]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to anna.k@web.de please", ["an e-mail address"]),
        ("me@example.com, you@shop.test, root@localhost", []),
        ("card 4539 1488 0343 6467", ["a card number"]),
        ("order 4539 1488 0343 6468, card 4111 1111 1111 1111", []),
        ("IBAN DE89 3704 0044 0532 0130 00", ["an IBAN"]),
        ("IBAN DE88 3704 0044 0532 0130 00", []),
        ("my SSN is 123-45-6789", ["a social security number"]),
        ("part 000-12-3456", []),
        ("call +49 171 2345678", ["a phone number"]),
        ("call +1 212 555 0142", []),
        ("order #12345678 of 2026-11-27 for $1,299.00", []),
    ],
)
def test_personal_data_is_told_from_what_looks_like_it(text: str, kinds: list[str]) -> None:
    assert [kind.partition(" (")[0] for kind in personal_data(text)] == kinds


@pytest.mark.parametrize(
    ("text", "mended_text"),
    [
        ("CafÃ©", "Café"),
        ("weâ€™re", "we’re"),
        ("10Â°C", "10°C"),
        ("ðŸ˜€", "😀"),
        ("bell\x07", "bell"),
        ("CafÃƒÂ©", "Café"),
        ("dÃ©jÃ\u00a0 vu, 中文", "déjà vu, 中文"),
        ("Café und CafÃ©", "Café und Café"),
        ("â€œyesâ€\x9d", "“yes”"),
        ("ä¸\xadæ–‡", "中文"),
    ],
)
def test_characters_of_a_wrong_encoding_are_mended(text: str, mended_text: str) -> None:
    assert encoding_fault(text) is not None and mended(text) == mended_text


@pytest.mark.parametrize("text", ["Café naïve Ñandú", "Ã la carte", "中文 текст عربى", "tab\tand\nline", "Ââ", "50 °C", "« voilà\u00a0» dit-il",
                                  "IRMÃ\u00a0» disse"])  # fmt: skip
def test_good_text_is_left_alone(text: str) -> None:
    assert encoding_fault(text) is None and mended(text) == text


def test_the_command_tells_and_ends_with_its_code(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", *GOOD, changed(2, case_id="d", query="I am [customer name]."))
    done = command("check", path, "--json", "--sarif", tmp_path / "x.sarif", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"] == {"DS201": 1} and told["findings"][0]["line"] == 4
    assert json.loads((tmp_path / "x.sarif").read_text())["version"] == "2.1.0"
    piped = subprocess.run(
        [*COMMAND, "check", "-"], input=path.read_bytes(), capture_output=True, check=False, cwd=tmp_path
    )
    assert piped.returncode == 3 and b"DS201" in piped.stdout
    assert command("check", tmp_path / "none.jsonl", cwd=tmp_path).returncode == 2
    assert command("check", path, "--fix", path, cwd=tmp_path).returncode == 2
    wrong = command("check", path, "--split-field", "fold", cwd=tmp_path)
    assert wrong.returncode == 2 and "has the field fold" in wrong.stderr


def test_a_session_is_checked_by_its_plan_and_a_sample_by_the_judge(tmp_path: Path) -> None:
    made = command("run", "--example", "travel_assistant", "--checkpoint-dir", "s", "--plain", cwd=tmp_path)
    assert made.returncode == 0
    done = command("check", "travel_assistant_v1", "--checkpoint-dir", "s", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["rows"] == 60 and told["source"] == "travel_assistant_v1"
    assert not any(finding["severity"] == "error" for finding in told["findings"])
    path = written(tmp_path / "x.jsonl", *GOOD)
    with fake_endpoint() as fake:
        fake.judge.bad = lambda case: "lamp" in case["inputs"]["query"]
        env = {"DSBUILDER_BASE_URL": fake.url, "DSBUILDER_MODEL": "m", "OPENAI_API_KEY": "k"}
        judged = command("check", path, "--judge", "--json", cwd=tmp_path, env=env)
        assert judged.returncode == 3, judged.stderr
        (finding,) = json.loads(judged.stdout)["findings"]
        assert (finding["code"], finding["line"], finding["case_id"]) == ("DS501", 2, "b")
        assert len(fake.judge.asked) == 3
