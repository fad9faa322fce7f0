"""Small JSON texts of every kind: such as are valid, such as are none, and such as readers differ about."""

from __future__ import annotations

_NUMBERS = ("0", "-0", "1", "-1", "12", "0.5", "1.0", "-2.5e3", "1E+2", "1e-2", "123456789", "0e1", "1.5e0")
_NO_NUMBERS = (
    "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1f", "1_000", "--1", "1.2.3", "NaNx", "Infinityy", "-a", "1a", "0.e1", "- 1",
    "１", "1,5e", "2.e3", "1 000",
)  # fmt: skip
_STRINGS = (
    '""', '"a"', '"a b"', r'"\n\t\r\b\f"', r'"\"\\\/"', r'"\u0041"', r'"\ud83d\ude00"', '"é"', '"日本"', '"\u2028"', '"\x7f"',
    r'"\u0000"', '"[]{},:"',
)  # fmt: skip
_NO_STRINGS = (
    '"', '"a', "'a'", r'"\x41"', r'"\u00"', r'"\uZZZZ"', r'"\"', '"a\nb"', '"a\tb"', '"a\x00b"', "a", r'"\a"', '"a"b"', r'\u0041',
    '“a”', '`a`', r'"\u{41}"', '"""a"""',
)  # fmt: skip
_VALUES = (
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[1]",
    "[[]]",
    '{"a": 1}',
    '{"a": {"b": [1, 2]}}',
    "[null, true]",
    '{"": 0}',
)
_NO_VALUES = (
    "nul", "True", "None", "undefined", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "{]", "{1: 2}",
    '{"a"}', '{"a":}', '{"a": 1,}', '{"a" 1}', '{"a": 1 "b": 2}', "{a: 1}", "{'a': 1}", '{"a": 1', '{"a"', '{"a":', "[1]]", "[1] x",
    '{"a": 1}}', "// c", "[1 /* c */]", "# c", "(1)", "[1;2]", "<a>", "[" * 40, "[[]", '{"a": [}', "*", "@", "[\\]", "[-]",
)  # fmt: skip
_DOUBTFUL = (
    b'{"a": 1, "a": 2}', b"1e400", b"-1e400", b"1e-400", b"NaN", b"Infinity", b"-Infinity", rb'"\ud800"', rb'"\udc00\ud800"',
    rb'"\ud800x"', b"123456789012345678901234567890", b"-" + b"9" * 400, b"0." + b"1" * 400, b"9" * 5000, b"\xef\xbb\xbf1",
    b'\xef\xbb\xbf{"a": 1}', b"\xff\xfe1\x00", b"\xfe\xff\x001", b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
    b'"\xe9"', b'"\xc3"', b"\xc3", b"\x00", b"\x1e[1]", b"\x0c[]", b"\xc2\xa0[]", b"\xe2\x80\xa8[]", b"[1]\x00", b"\x85[]",
    b"", b" ", b"\n\n", b"\r\n", b"\t", b'{"inputs": NaN}', rb'{"inputs": {"query": "\ud800"}}', b'{"inputs": 1e400}',
    b'{"inputs": 123456789012345678901234567890}', b'{"inputs": {"query": "a"}, "inputs": 3}', b'{"__proto__": 1}',
)  # fmt: skip
_DEPTHS = (100, 250, 500, 1_000, 1_030, 10_000, 100_000)


def json_texts() -> dict[str, bytes]:
    """By their names: ``y_`` is valid, ``n_`` is not, ``i_`` is as the reader likes."""
    found: dict[str, bytes] = {}

    def add(kind: str, *texts: str | bytes) -> None:
        for text in texts:
            found[f"{kind}_{len(found)}"] = text if isinstance(text, bytes) else text.encode()

    good, bad = (*_NUMBERS, *_STRINGS, *_VALUES), (*_NO_NUMBERS, *_NO_STRINGS, *_NO_VALUES)
    add("y", *good, *(f"  [ {text} ,\n {text} ]\r\n" for text in good[::4]))
    add("y", *(f'{{"inputs": {{"query": "Where is it?"}}, "more": {text}}}' for text in good))
    add("n", *bad, *(f'{{"inputs": {text}}}' for text in bad[::3]), *(f"[{text}" for text in good[::5]))
    add("i", *_DOUBTFUL)
    for depth in _DEPTHS:
        add("i", "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth, '[{"a":' * depth)
        add("i", '{"inputs": {"query": ' + "[" * depth + "]" * depth + "}}")
    return found
