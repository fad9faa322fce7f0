"""The validator of dates: a date that an expectation names stands in the input or its source."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.grounding import GroundingOptions, is_held
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import plan_words

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari",
            "february feb februar février fevrier febrero febbraio fevereiro",
            "march mar märz maerz mars marzo março maart", "april apr avril abril aprile", "may mai mayo maggio maio mei",
            "june jun juni juin junio giugno junho", "july jul juli juillet julio luglio julho",
            "august aug août aout agosto", "september sept sep septembre septiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro", "november nov novembre noviembre novembro",
            "december dec dezember dez décembre decembre diciembre dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<![\d.])(\d{1,2})[-/.] ?(\d{1,2})(?:[-/.] ?(\d{4}|\d{2})?)?(?![\d%])")
_DAY_MONTH = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|\.|er|º)?\s+(?:of\s+|de\s+)?({_MONTH})\b\.?", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.?\s+(?:the\s+)?(\d{{1,2}})(?!\d)", re.IGNORECASE)
_ANY_MONTH = re.compile(rf"\b(?:{_MONTH})\b", re.IGNORECASE)
# Where a text speaks of time in such words, a date may follow from it that does not stand there.
_RELATIVE = re.compile(
    r"\b(?:to-?day|tonight|tomorrow|yesterday|morning|weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|days?|nights?|weeks?|"
    r"fortnights?|months?|years?|later|earlier|ago|next|last|until|till|end of|christmas|"
    r"easter|new year\S*|holidays?|now|soon|asap|(?:half )?term|"
    r"seasons?|valentine\S*|thanksgiving|ramadan|diwali|hanukkah|ostern|pfingsten|weihnachten|silvester|navidad|"
    r"heute|morgen|gestern|\w+tage?n?|nächte|woche\w*|monat\w*|jahr\w*|wochenende|montag|dienstag|mittwoch|"
    r"donnerstag|freitag|samstag|hoy|mañana|ayer|noches?|días?|semanas?|mes(?:es)?|años?|"
    r"lunes|martes|miércoles|jueves|viernes|sábado|domingo|"
    r"demain|hier|aujourd\S*|nuits?|jours?|semaines?|mois|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|"
    r"domani|oggi|ieri|notti|giorni|settiman\w*|amanhã|hoje|noites?|dias?|morgen|vandaag|nachten|dagen|weken)\b",
    re.IGNORECASE,
)


def dates_in(text: str) -> Iterator[tuple[int, int]]:
    """Month and day of each date in a text; both readings of one in numbers alone."""
    for _, month, day in _ISO.findall(text):
        yield int(month), int(day)
    for day, name in _DAY_MONTH.findall(text):
        yield _MONTHS[name.casefold()], int(day)
    for name, day in _MONTH_DAY.findall(text):
        yield _MONTHS[name.casefold()], int(day)
    for one, other, _ in _NUMBERS.findall(_ISO.sub(" ", text)):
        yield int(one), int(other)
        yield int(other), int(one)


def _named_dates(text: str) -> set[tuple[int, int]]:
    """As ``dates_in``, without what may be another kind of number, such as a version or a fraction."""
    found = [(int(month), int(day)) for _, month, day in _ISO.findall(text)]
    found += [(_MONTHS[name.casefold()], int(day)) for day, name in _DAY_MONTH.findall(text)]
    found += [(_MONTHS[name.casefold()], int(day)) for name, day in _MONTH_DAY.findall(text)]
    return {(month, day) for month, day in found if 1 <= month <= 12 and 1 <= day <= 31}


def _can_tell(text: str) -> bool:
    """Whether the dates that a text speaks of are those that stand in it."""
    if _RELATIVE.search(text):
        return False
    return any(dates_in(text)) or (
        text.replace(" · ", " ").isascii() and not any(c.isdigit() for c in text) and not _ANY_MONTH.search(text)
    )


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: GroundingOptions) -> Check:
    words = plan_words(category, plan)

    def check(case: CheckedCase) -> str | None:
        given: set[tuple[int, int]] | None = None  # the dates of the ground, which is read when a date is named
        for value in case.written:
            if not is_held(value, case, options) or not (named := _named_dates(value.text)):
                continue
            if given is None:
                if not case.source and not _can_tell(case.whole):
                    return None
                ground = case.ground(words)
                days = {int(number) for number in re.findall(r"(?<!\d)\d{1,2}(?!\d)", ground)}
                given = set(dates_in(ground))
                months = {month for month, _ in given}  # with several days to one month, such as 1 to 3 June
            if unknown := {(month, day) for month, day in named - given if not (month in months and day in days)}:
                month, day = min(unknown)
                return (
                    f"{value.where} names the date {month:02}-{day:02} (month-day), which is not in the input; "
                    "use the date that the input names, or leave it out"
                )
        return None

    return check


VALIDATOR = Validator(
    words="dates of the expectation stand in the input or its source", prepare=_prepare, options=GroundingOptions
)
