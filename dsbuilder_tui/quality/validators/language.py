"""The validator of language: the input is in the language that the plan, or the slot, asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import MESSAGES, user_turns
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions

_AXES = ("language", "lang", "sprache", "langue", "idioma", "lingua")
_BY_CODE = {
    "en": "english", "de": "german deutsch", "fr": "french français francais", "es": "spanish español espanol castilian",
    "it": "italian italiano", "pt": "portuguese português portugues", "nl": "dutch nederlands", "pl": "polish polski",
    "sv": "swedish svenska", "da": "danish dansk", "nb": "norwegian norsk bokmål no", "fi": "finnish suomi",
    "cs": "czech čeština", "sk": "slovak", "hu": "hungarian magyar", "ro": "romanian română", "bg": "bulgarian",
    "el": "greek", "tr": "turkish türkçe", "ru": "russian русский", "uk": "ukrainian українська", "ar": "arabic العربية",
    "he": "hebrew", "hi": "hindi", "ja": "japanese", "ko": "korean", "zh": "chinese mandarin", "vi": "vietnamese",
    "id": "indonesian", "th": "thai", "ca": "catalan català", "hr": "croatian", "sl": "slovene slovenian",
    "lt": "lithuanian", "lv": "latvian", "et": "estonian", "fa": "persian farsi",
}  # fmt: skip
_NAMES = {name: code for code, names in _BY_CODE.items() for name in (code, *names.split())}
# Languages that a short text does not tell apart.
_ALIKE = (
    {"nb", "nn", "no", "da", "sv"}, {"cs", "sk"}, {"hr", "sr", "bs", "sl"}, {"id", "ms"}, {"es", "gl", "ca", "pt"},
    {"nl", "af"}, {"ru", "uk", "bg", "be", "mk"}, {"ar", "fa", "ur"}, {"zh", "ja"},
)  # fmt: skip
_FEWEST_CHARACTERS = 25  # of a text whose language can be told; in scripts without spaces fewer would do
_CERTAIN = 0.99


class LanguageOptions(ValidatorOptions):
    """``of_input`` is a language by its name or two-letter code; without it the slot's attribute ``language`` holds."""

    of_input: str | None = None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # its model is read when a plan needs it

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # Among those that a plan can ask for, and their like: a short text is taken for one of many small languages else.
    known = {*_BY_CODE, *(code for alike in _ALIKE for code in alike)}
    identifier.set_languages(known & set(identifier.labels))
    return identifier


def code_of(name: str) -> str | None:
    """The two-letter code of a language named in English, its own words or a tag such as ``pt-BR``; None when unknown."""
    plain = name.strip().casefold()
    return _NAMES.get(plain) or (_NAMES.get(plain[:2]) if plain[2:3] in ("-", "_") and len(plain) <= 6 else None)


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: LanguageOptions) -> Check:
    fixed = None if options.of_input is None else code_of(options.of_input)
    if options.of_input is not None and fixed is None:
        raise ValueError(f"{options.of_input!r} is no language that can be told; write for example of_input: de")
    if category.kind is CaseKind.SCENARIO:
        return lambda case: None  # the simulated user is told which language to speak, in whatever language
    identifier = _identifier()

    def check(case: CheckedCase) -> str | None:
        asked = options.of_input or next(
            (v for axis, v in case.slot.attributes.items() if axis.casefold() in _AXES), ""
        )
        wanted = fixed or code_of(asked)
        spoken = " ".join(user_turns(case.inputs.get(MESSAGES)))
        texts = [spoken, *(text for text in case.inputs.values() if isinstance(text, str))]
        text = max(texts, key=len, default="")
        if wanted is None or len(text) < _FEWEST_CHARACTERS:
            return None
        found, certainty = identifier.classify(text)
        if found == wanted or certainty < _CERTAIN or any({found, wanted} <= alike for alike in _ALIKE):
            return None
        return f"the input is not in {asked}; write it in that language"

    return check


VALIDATOR = Validator(words="the input is in the language that is asked for", prepare=_prepare, options=LanguageOptions)
