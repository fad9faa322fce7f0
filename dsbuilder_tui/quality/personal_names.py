"""Names of people in a text: introduced, addressed, signed with, or known first names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsbuilder_tui.diversity.lexicon import FORMS_OF_ADDRESS, HONORIFICS, NAME_PARTICLES, NOT_NAMES
from dsbuilder_tui.quality.personal_data import LONGEST_LOOKED_AT, PersonalDataKind, PersonalDatum

# After these a name follows, however it is written.
_INTRODUCES = re.compile(
    r"\b(?:(?:full |first |last |my |the |sur|account |holder'?s? )?name(?:'s| is|s are|:)|i am called|call me|"
    r"mein name ist|ich hei(?:ß|ss)e|mi nombre es|me llamo|mon nom est|je m'appelle|mi chiamo|mijn naam is|me chamo|"
    r"meu nome é)[ \t]{0,3}",
    re.IGNORECASE,
)
# After these a name follows where it is written as one, or is a known one.
_POINTS_AT = re.compile(
    r"\b(?:i am|i'?m|this is|it'?s|dear|hi|hello|hey|hola|hallo|liebe[r]?|querid[oa]|estimad[oa]|bonjour|signed|"
    r"on behalf of|in the name of|booked (?:for|by|under)|under the name(?: of)?|ask(?:ed)? for|sp(?:eak|oke) (?:to|with)|"
    r"talked (?:to|with)|contact|passengers?|guests?|patient|customer|tenant|"
    r"my (?:wife|husband|son|daughter|brother|sister|mother|father|mom|mum|dad|friend|colleague|boss|partner|manager|"
    r"doctor|neighbou?r|lawyer|fiancée?)|"
    r"(?:(?:kind|best|warm|many) )?(?:regards|thanks|sincerely|cheers|yours(?: truly)?|grüße|gruß|saludos))"
    r"[ \t,:]{1,3}(?:\n[ \t]{0,3}){0,2}",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    rf"\b(?:{'|'.join(sorted(FORMS_OF_ADDRESS | {'dr', 'prof', 'monsieur', 'madame', 'mme'}, key=len, reverse=True))})\b\.?[ \t]",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_]{1,30}(?:[’'-][^\W\d_]{1,30})?")
_GAP = re.compile(r"[ \t]{1,2}|\.[ \t]")
_MOST_WORDS = 4
# What follows “my name is”, “I am” and the like, and is no name.
_NO_NAME = (
    NOT_NAMES
    | HONORIFICS
    | frozenset(
        "wrong spelled spelt misspelled incorrect missing about there in under trying looking writing going getting "
        "unable having here on out still just very so already also only now new happy sad afraid glad aware interested "
        "travelling traveling moving using calling planning waiting asking wondering based locked stuck locate able "
        "what me back later today tomorrow because since after before between during while until monday tuesday "
        "wednesday thursday friday saturday sunday january february march april may june july august september october "
        "november december order flight hotel premium gold silver platinum basic standard pro business economy service "
        "support i'm i've i'd i'll team".split()
    )
)
# Before a known first name: the two are a place.
_PLACE = re.compile(
    r"\b(?:san|santa|santo|são|sao|st|saint|port|puerto|fort|lake|mount|mt|new|los|las)\.? $", re.IGNORECASE
)
_FIRST_NAMES = frozenset(
    "aaron abdul abigail adam adriana ahmed aisha alan albert alejandra alejandro alessandro alexander alexandra alexis ali "
    "alice alicia allison amanda amelia amy ana andrea andreas andrew angela anita ann anna anne annette anthony antoine "
    "antonia antonio arjun arthur barbara beatriz ben benjamin bernd bernhard beth betty birgit bjorn bob boris brandon brenda "
    "brian bruno camila camille carl carla carlos carmen carol caroline catherine cathy cecilia chiara christian christina "
    "christine christoph christopher claire clara claudia colin craig cristina daniel daniela danielle david deborah deepak "
    "denise dennis derek diana diego dieter dimitri dirk dmitri dominik donald donna dorothy douglas edward eduardo elena "
    "elisabeth elizabeth ella ellen emily emma enrique eric erik esther ethan eva evelyn fatima felipe felix fernanda fernando "
    "fiona florian francesca francesco francisco franz francois françois friedrich fritz gabriel gabriela gary george gerald "
    "gerhard giovanni giulia gloria gonzalo greg gregory guillermo gustavo hannah hans harold harry hassan heather heidi "
    "heike heinrich heinz helen helga henry hiroshi horst howard hugo ian ibrahim ignacio ines ingrid irene isabel "
    "isabella isabelle ivan jacob jaime james jamie jan jana jane janet jason javier jean jeff jeffrey jennifer jeremy "
    "jessica jim joan joanna joanne joao joão joaquin joe johan johanna john johnny jonas jonathan jorge jose josé josef "
    "joseph joshua juan juana judith juergen jürgen julia julian juliana julie justin karen karin karl karla katarina "
    "katharina katherine kathleen kathy katie katrin keith kelly kenneth kevin khalid klaus kristin kumar kyle larry laura "
    "lauren laurent leah lena leonardo leonie liam linda lisa lorena louis louise lucas lucia luciana ludwig luigi luis luisa "
    "lukas magdalena manfred manuel manuela marc marcel marcela marco marcos marek margaret maria maría marie marina mario "
    "marion mariana markus marlene marta martha martin martina mary matteo matthew matthias maureen megan mehmet mei melanie "
    "melissa michael michel michelle miguel mike mohamed mohammed monica monika monique muhammad nadia nancy natalia natalie "
    "natasha nathan nicholas nicolas nicole niklas nina noah nora norbert oleg olga oliver olivia omar oscar pablo pamela "
    "paola patricia patrick paul paula paulo pedro peter petra philip philipp philippe pierre pilar priya rachel rafael rahul "
    "raj rajesh ralf ramon raquel rebecca renate renee ricardo richard rita robert roberto rodrigo roger roland ronald "
    "rosa rosario roxana ruben rudolf ruth ryan sabine samantha samuel sandra sanjay sara sarah sebastian sergei "
    "sergio sharon shirley silvia simon simone sofia sonia sophia sophie stefan stefanie stephanie stephen steve steven "
    "sunita susan susana susanne sven svetlana sylvia tamara tatiana teresa terry theodore theresa thomas tiago tim timothy "
    "tobias tom tomas tony tyler ulrich ulrike ursula uwe valentina valeria vanessa vera veronica victor vicente vincent "
    "vladimir walter wanda wei werner wendy william wilhelm wolfgang xavier yasmin yolanda yuki yusuf yvonne zoe".split()
)


def names_in(text: str) -> Iterator[PersonalDatum]:
    """The names of people in a text, not in order; one may be told twice. English, and what is usual in five others."""
    text = text[:LONGEST_LOOKED_AT]
    for pattern, lower_too in ((_INTRODUCES, True), (_POINTS_AT, False), (_ADDRESSED, False)):
        for found in pattern.finditer(text):
            end = _name_end(text, found.end(), lower_too=lower_too)
            if end > found.end():
                yield PersonalDatum(found.end(), end, PersonalDataKind.NAME)
    for word in _NAME_WORD.finditer(text):
        known = word[0][0].isupper() and word[0].casefold() in _FIRST_NAMES
        if known and not _PLACE.search(text[max(0, word.start() - 10) : word.start()]):
            yield PersonalDatum(word.start(), _name_end(text, word.start()), PersonalDataKind.NAME)


def _name_end(text: str, start: int, *, lower_too: bool = False) -> int:
    """Where the name that begins at ``start`` ends; ``start`` where none does."""
    at, end = start, start
    for number in range(_MOST_WORDS):
        found = _NAME_WORD.match(text, at)
        if found is None:
            break
        word, folded = found[0], found[0].casefold().replace("’", "'")
        written_as_name = word[0].isupper() and (len(word) == 1 or not word.isupper() or lower_too) and word != "I"
        is_known = folded in _FIRST_NAMES
        takes_lower = lower_too and number < 2 and len(word) > 1
        if folded in _NO_NAME or not (written_as_name or (is_known and not number) or takes_lower):
            if not (number and folded in NAME_PARTICLES):
                break
        else:
            end = found.end()
        gap = _GAP.match(text, found.end())
        if gap is None or (gap[0][0] == "." and len(word) > 1):
            break
        at = gap.end()
    return end
