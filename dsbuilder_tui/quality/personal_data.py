"""Personal data in a text: what is somebody's own, by its form and its check digits, or by what stands before it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_LOOKED_AT = 100_000  # characters of a text
_LONGEST_BEFORE = 32  # characters before four numbers that say what they are

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
# Of the internet: that of a home network, of documentation or of a name server belongs to nobody.
_IPV4 = re.compile(r"(?<![\w.+-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-f]{3}:[0-9a-f:]{2,34}(?![\w:]|\.\w)", re.IGNORECASE)
_NAME_SERVERS = frozenset(
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 2001:4860:4860::8888 "
    "2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe".split()
)
# Four numbers that are no address: what stands before a version, a section or a package's name and its version.
_VERSION = re.compile(
    r"(?:\b(?:v|ver|version|release|build|firmware|driver|revision|rev|patch|updated?|upgraded?|section|sec|chapter|clause|"
    r"paragraph|article|rule|item|table|figure|fig|oid|asn|kernel|sdk|api|app)s?(?: (?:number|no|to|is|was|from))?|§|[=~<>^])"
    r"[ .:#=v(]{0,3}\Z",
    re.IGNORECASE,
)
_OF_A_MACHINE = re.compile(
    r"\b(?:ip|ips|ipv4|address|addresses|ip-adresse|adresse|dirección|host|server|client|from|ping|login|login from|logged in|"
    r"ssh|telnet|dns|gateway|proxy|vpn|connect(?:ed|ion)?|request|block(?:ed)?|ban(?:ned)?|whitelist(?:ed)?|allowlist(?:ed)?)\b[^.\n]{0,20}\Z",
    re.IGNORECASE,
)
_SMALL = 32  # numbers of a version are smaller
TEST_CARDS = ("4111111111111111", "4242424242424242", "5555555555554444", "378282246310005", "4000000000000002")

# Numbers that are somebody's own where a word says so. In their place the likes of 12345 may be real.
_OF_NOBODY = re.compile(r"555[ .-]?01\d\d|(?:\+44|0)[ .-]?7700[ .-]?900")
_LOCAL_PHONE = re.compile(
    r"(?<![\w.,#/+-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"
    r"|(?<![\w.,#/+-])\(?0\d{1,4}\)?[ /.-]\d{2,8}(?:[ .-]\d{2,5}){0,3}(?![\w-])"
)
_CALLED = re.compile(
    r"\b(?:phone|telephone|tel|mobile|mob|cell|cellphone|whatsapp|handy|telefon\w{0,8}|teléfono|móvil|call me(?: back)?|"
    r"text me|ring me|reach me|callback)(?: (?:number|no|nr|nummer|is|ist|es|at|on|under|unter))*+\W{0,3}"
    r"(?P<value>\+?\(?\d(?:[ ()./-]{0,2}\d){6,14})(?!\w)",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:(?:bank |checking |savings |credit )?account|acct|customer|client|member(?:ship)?|passport|driv(?:er'?s|ing) "
    r"licen[cs]e|policy|insurance|tax|national insurance|social security|routing|sort code|iban|card|konto(?:nummer)?|"
    r"kundennummer|versicherungsnummer|ausweis(?:nummer)?|cuenta|dni|nif|pasaporte|compte|ssn|bsn)"
    r"(?: (?:number|num|no|nr|nummer|id|code|número|numéro|is|ist|es|est))*+[ .:#=]{0,4}"
    r"(?P<value>[A-Z]{0,3}\d(?:[ -]?[A-Z]?\d){4,24}[A-Z]?)(?![\w-])",
    re.IGNORECASE,
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d-\d\d-\d\d|\d{1,2}(?:st|nd|rd|th|\.)? (?:de )?[^\W\d_]{3,10},?"
    r"(?: (?:de |del )?)(?:19|20)\d\d|[^\W\d_]{3,9} \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d)"
)
_BORN = re.compile(
    r"\b(?:date of birth|birth ?date|birthday|dob|d\.o\.b\.?|born|geburtsdatum|geboren|geburtstag|fecha de nacimiento|nacid[oa]|"
    r"date de naissance|née?|data di nascita|nat[oa])(?: (?:is|was|on|in|the|ist|am|es|el|est|le|il))*+[ :=,]{0,3}"
    rf"(?P<value>{_DATE})(?![\w-])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?<![\w#-])\d{1,5}[a-z]? (?:(?:[NSEW]\.?|North|South|East|West) )?(?:[A-Z][\w'’-]{1,30} ){1,4}(?:Street|St|Road|Rd|Avenue|"
    r"Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Close|Crescent|Terrace|Way|Square|Place|Pl)\b\.?"
    r"(?:,? (?:Apt|Apartment|Flat|Unit|Suite)\.? ?\w{1,6})?"
    r"|(?<!\w)[A-ZÄÖÜ][\w'’-]{1,30}(?:straße|strasse|str\.|weg|gasse|allee) ?\d{1,4}[a-z]?(?!\w)"
    r"|(?<!\w)(?:Calle|Avenida|Plaza|Rue|Via|Viale) (?:(?:de|del|la|las|los|des|du) ){0,2}[A-Z][\w'’-]{1,30}"
    r"(?: [A-Z][\w'’-]{1,30}){0,2},? \d{1,4}(?!\w)"
)


class PersonalDataKind(StrEnum):
    """Whose or what it is, as a person reads it."""

    EMAIL = "e-mail address"
    NAME = "name"
    PHONE = "phone number"
    CARD = "card number"
    IBAN = "IBAN"
    IP = "IP address"
    BIRTH_DATE = "date of birth"
    SSN = "social security number"
    ACCOUNT = "account number"
    ADDRESS = "street address"

    def counted(self, number: int) -> str:
        """``1 street address``, ``3 street addresses``."""
        first, *rest = self.value.split(" of ")
        ending = "" if number == 1 else "es" if first.endswith("s") else "s"
        return " of ".join([f"{number:,} {first}{ending}", *rest])


@dataclass(frozen=True, slots=True, order=True)
class PersonalDatum:
    """A piece of a text, from ``start`` to before ``end``."""

    start: int
    end: int
    kind: PersonalDataKind


def certain_data(text: str) -> Iterator[PersonalDatum]:
    """What is personal by its form alone; what is nobody's (example.com, test cards, numbers of films) is left out."""
    text = text[:LONGEST_LOOKED_AT]
    for found in _EMAIL.finditer(text):
        if not _NOBODYS.search(found[1]):
            yield PersonalDatum(found.start(), found.end(), PersonalDataKind.EMAIL)
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _luhn(digits) and digits not in TEST_CARDS and len(set(digits)) > 2:
            yield PersonalDatum(found.start(), found.end(), PersonalDataKind.CARD)
    for found in _IBAN.finditer(text):
        if _iban(found[0].replace(" ", "")):
            yield PersonalDatum(found.start(), found.end(), PersonalDataKind.IBAN)
    for found in _SSN.finditer(text):
        yield PersonalDatum(found.start(), found.end(), PersonalDataKind.SSN)
    for found in _PHONE.finditer(text):
        if not _FICTION.search(found[0]) and 9 <= sum(map(str.isdigit, found[0])) <= 15:
            yield PersonalDatum(found.start(), found.end(), PersonalDataKind.PHONE)
    yield from _network_addresses(text)


def _network_addresses(text: str) -> Iterator[PersonalDatum]:
    for found in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        value = found[0].rstrip(":") if not found[0].endswith("::") else found[0]
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            continue
        before = text[max(0, found.start() - _LONGEST_BEFORE) : found.start()]
        if address.is_global and str(address) not in _NAME_SERVERS and not _is_version(value, before):
            yield PersonalDatum(found.start(), found.start() + len(value), PersonalDataKind.IP)


def _is_version(value: str, before: str) -> bool:
    """Whether four numbers count something, by what stands before them and by how small they are."""
    if ":" in value:
        return False
    if _VERSION.search(before):
        return True
    return max(map(int, value.split("."))) < _SMALL and not _OF_A_MACHINE.search(before)


def likely_data(text: str) -> Iterator[PersonalDatum]:
    """What is personal by what stands around it: local phone numbers, numbers of accounts and papers, dates of
    birth, street addresses."""
    text = text[:LONGEST_LOOKED_AT]
    for found in _CALLED.finditer(text):
        if _is_somebodys(found["value"]):
            yield PersonalDatum(*found.span("value"), PersonalDataKind.PHONE)
    for found in _LOCAL_PHONE.finditer(text):
        if _is_somebodys(found[0]) and 9 <= sum(map(str.isdigit, found[0])) <= 13:
            yield PersonalDatum(found.start(), found.end(), PersonalDataKind.PHONE)
    for found in _ACCOUNT.finditer(text):
        if _is_somebodys(found["value"]) and sum(map(str.isdigit, found["value"])) >= 5:
            yield PersonalDatum(*found.span("value"), PersonalDataKind.ACCOUNT)
    for found in _BORN.finditer(text):
        yield PersonalDatum(*found.span("value"), PersonalDataKind.BIRTH_DATE)
    for found in _ADDRESS.finditer(text):
        yield PersonalDatum(found.start(), found.end(), PersonalDataKind.ADDRESS)


def _is_somebodys(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    return len(digits.lstrip("0")) > 2 and digits not in TEST_CARDS and not _OF_NOBODY.search(value)


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
