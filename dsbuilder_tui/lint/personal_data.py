"""Personal data in a text: what is surely, by its form and its check digits, or by its name, somebody's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,4})(?![\w@])")
# Domains that are nobody's (RFC 2606 and RFC 6761), and those that people take for examples.
_NOBODYS = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost)$|(?:^|\.)example\.(?:com|org|net|edu)$", re.IGNORECASE
)
_CARD = re.compile(r"(?<![\d#-])(?:\d[ -]?){12,18}\d(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_PHONE = re.compile(r"(?<![\w+])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}(?!\w)")
_FICTION = re.compile(
    r"555[ .-]?01\d\d|(?:\+44|0)[ .-]?7700[ .-]?900|0{5}|12345|99999"
)  # numbers that are given to nobody
_TEST_CARDS = ("4111111111111111", "4242424242424242", "5555555555554444", "378282246310005", "4000000000000002")
_LONGEST = 100_000  # characters that are looked at


def personal_data(text: str) -> Iterator[str]:
    """The kinds of personal data in a text, each once, with the value partly covered."""
    text = text[:_LONGEST]
    for found in _EMAIL.finditer(text):
        if not _NOBODYS.search(found[1]):
            yield f"an e-mail address ({_covered(found[0])})"
            break
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _luhn(digits) and digits not in _TEST_CARDS and len(set(digits)) > 2:
            yield f"a card number ({_covered(found[0])})"
            break
    for found in _IBAN.finditer(text):
        if _iban(found[0].replace(" ", "")):
            yield f"an IBAN ({_covered(found[0])})"
            break
    if found_ssn := _SSN.search(text):
        yield f"a social security number ({_covered(found_ssn[0])})"
    for found in _PHONE.finditer(text):
        if not _FICTION.search(found[0]) and 9 <= sum(map(str.isdigit, found[0])) <= 15:
            yield f"a phone number ({_covered(found[0])})"
            break


def _covered(value: str) -> str:
    return f"{value[:3]}…{value[-2:]}"


def _luhn(digits: str) -> bool:
    total = sum(
        sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits))
    )  # ISO/IEC 7812
    return total % 10 == 0


def _iban(value: str) -> bool:
    if not 15 <= len(value) <= 34:
        return False
    turned = "".join(str(int(each, 36)) for each in value[4:] + value[:4])
    return int(turned) % 97 == 1  # ISO 13616
