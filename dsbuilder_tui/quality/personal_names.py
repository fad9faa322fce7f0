"""Names of people in a text: introduced, addressed, signed with, or known first names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from dsbuilder_tui.diversity.lexicon import FORMS_OF_ADDRESS, HONORIFICS, NAME_PARTICLES, NOT_NAMES
from dsbuilder_tui.quality.personal_data import LONGEST_LOOKED_AT, PersonalDataKind, PersonalDatum

_MORE_FORMS = frozenset({"dr", "prof", "monsieur", "madame", "mme"})
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
    r"good (?:morning|afternoon|evening)|buenos días|buenas tardes|buongiorno|salut|ciao|olá|"
    r"soy|ici|habla|je suis|hier ist|hier spricht|(?:io )?sono|aqui é|"
    r"(?:(?:kind|best|warm|many) )?(?:regards|thanks|sincerely|cheers|yours(?: truly)?|grüße|gruß|saludos))"
    r"[ \t,:]{1,3}(?:\n[ \t]{0,3}){0,2}",
    re.IGNORECASE,
)
# Forms of address that are other words too (to miss, HR, 200 ms, Sr. Engineer): they count as they are written before a name.
_AS_A_TITLE = {"Miss": "miss", "Hr": "hr", "Sr": "sr", "Fr": "fr", "Don": "don", "[Mm]s": "ms"}
_ADDRESSED = re.compile(
    rf"\b(?:(?i:{'|'.join(sorted((FORMS_OF_ADDRESS | _MORE_FORMS) - set(_AS_A_TITLE.values()), key=len, reverse=True))})"
    rf"|(?<!\d )(?:{'|'.join(_AS_A_TITLE)}))\b\.?[ \t]"
)
# A greeting or thanks with a comma behind it: a name may follow, or the sentence begins.
_GREETS = re.compile(
    r"\b(?:hi|hello|hey|hola|hallo|bonjour|good (?:morning|afternoon|evening)|buenos días|buenas tardes|buongiorno|salut|"
    r"ciao|olá|thanks|regards|sincerely|cheers|yours(?: truly)?|grüße|gruß|saludos)[ \t]?,[ \t]{1,3}",
    re.IGNORECASE,
)
# What follows the name of who writes: “Hello, Anna here”. Anything else in lower case is the rest of a sentence.
_BEHIND_A_NAME = re.compile(
    r"(?:here|speaking|calling|writing|again|from|and|with|aka|hier|aquí|ici|und|y|et)\b", re.IGNORECASE
)
_SENTENCE_GOES_ON = re.compile(r"[ \t]{1,3}(?=[^\W_A-Z]|#)")
# The end of a letter, and the line below it.
_SIGNED = re.compile(
    r"\b(?:regards|thanks|thank you|thx|ty|sincerely|cheers|yours(?: truly)?|best|best wishes|all the best|take care|love|"
    r"warmly|respectfully|grüßen?|gruß|mfg|lg|vg|saludos|atentamente|cordialmente|un abrazo|cordialement|bien à vous|"
    r"cordiali saluti|distinti saluti|atenciosamente|abraços?)(?:[!.,]?(?:[ \t]{0,3}\n[ \t]{0,3}){1,2}|[!,][ \t]{1,3})"
    # a dash that stands for it, in the last line
    r"|(?:\n|[.!?])[ \t]{0,3}(?:[–—~]|--)[ \t]{0,3}|\n[ \t]{0,3}-(?=\w)",
    re.IGNORECASE,
)
# “Müller here”, “Schmidt hier”: who calls, where a sentence begins or a greeting stands before it.
_CALLS = re.compile(
    r"(?<![\w’'-])(?P<name>[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,30}(?:[’'-][^\W\d_]{1,30})?(?: [^\W\d_a-zß-öø-ÿ][^\W\d_]{1,30}){0,2}) "
    r"(?:here|speaking|calling|writing|hier|am apparat|aquí|ici|qui|aqui)"
    r"(?=[ \t]{0,2}(?:[,.:;!)–—-]|\n|\Z)|,? (?:from|with|again|about|on behalf|aus|von|wegen|de|del|di|da)\b)"
)
_CALL_BEGINS = re.compile(
    r"(?:\A|[.!?,;:\n–—-]|\b(?:hi|hello|hey|hola|hallo|bonjour|yes|ja|sí|oui|there|morning|afternoon|evening|tag|moin|servus|dr|mr|"
    r"mrs|ms|herr|frau))[ \t.]{0,3}\Z",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile(r"[.,]?[ \t]{0,3}(?:\n|\Z)")
# Before “name”: it is that of a thing.
_THING = re.compile(
    r"\b(?:file|folder|document|company|organi[sz]ation|business|firm|brand|product|item|model|project|event|hotel|restaurant|"
    r"shop|store|school|team|group|channel|list|street|city|town|country|airport|airline|domain|host|server|network|wi-?fi|"
    r"device|printer|database|table|column|field|variable|function|package|app|plan|policy|course|medicine|drug|song|album|"
    r"film|movie|book|game|page|site|website|theme|font|colou?r|category|label|tag|template|workspace|bucket|branch)(?:'s)? $",
    re.IGNORECASE,
)
# Beside a first name that is a month, too: “since Jan”, “Jan 12”.
_IN_A_MONTH = re.compile(
    r"\b(?:in|since|until|till|by|from|of|for|end of|early|mid|late|last|next|this|\d{1,2}\.?) $", re.IGNORECASE
)
_DAY_BEHIND = re.compile(r"\.? \d{1,4}\b|[./-]")
_MONTHS = frozenset({"jan"})
# First names in what is bought or said.
_NOT_A_PERSON = re.compile(
    r"(?:Louis Vuitton|Hugo Boss|Ben (?:&|and) Jerry['’]?s|Tim Hortons|Calvin Klein|Ralph Lauren|Michael Kors|Marc Jacobs|"
    r"Karl Lagerfeld|Christian Dior|Christian Louboutin|Tom Ford|Tom Tom|Carl Zeiss|Thomas Cook|Laura Ashley|Peter Pan|"
    r"Oscar (?:night|winner|nominee)|Roger that|Marina Bay|Mario Kart|Super Mario)\b"
)
# Endings that no name has, in a word of some length.
_NO_NAMES_END = re.compile(
    r".{2,30}(?:tions?|sions?|able|ible|ful|less|ships?|ness|ware|ically|ously)$|.{4,30}(?:ments?|[sc]ked|[ycgvz]ed|[st]ed|lled|"
    r"ious|eous|ulous|tive|sive|logy)$|.{6,30}(?:[ae]nce|[ae]ncy|ity)$"
)
_NAME_WORD = re.compile(r"[^\W\d_]{1,30}(?:[’'-][^\W\d_]{1,30})?")
_GAP = re.compile(r"[ \t]{1,2}|\.[ \t]")
_MOST_WORDS = 4
_SHORTEST_STEM = 3  # letters
_LONGEST_THING, _LONGEST_BEFORE, _LONGEST_GREETING = 16, 10, 14  # characters before a word that are looked at
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
        "support i'm i've i'd i'll team asap".split()
    )
)
# What follows “hi”, “contact” or “this is” with a capital letter, and is the name of nobody: none is a usual name of a family.
_COMMON_WORDS = frozenset(
    (
        # departments, roles and what a form is called
        "accounts accounting account accountant admin administration administrator agent agents approval billing "
        "booking bookings bot care chat chatbot claims complaints compliance concierge contact contracts counter "
        "delivery department desk developer development director dispatch editor engineer engineering enquiries "
        "executive facilities finance form front google helpdesk hiring hotline housekeeping human infrastructure "
        "inquiries insurance intern it job leadership legal logistics login maintenance management manager marketing "
        "member members moderator office operations operator owner owners partner partners patient patients payable "
        "payroll people personnel planning policy portal landlord lawyer nurse occupational president procurement "
        "product program programme purchasing quality reception recruiter recruiting recruitment relations reservations "
        "resources returns sales screening secretary security seller senior shipping siri software staff supplier "
        "supply technical technician tenant tenants ticket training treasury vendor warehouse webmaster wifi world "
        "cortana assistant "
        # what a customer writes about, where a greeting stands before it
        "access address app application appointment balance baggage cable cart charge checkout code coupon credit "
        "customs data deposit device discount email e-mail error exchange feedback internet invoice item items kettle "
        "kettles keyboard label luggage message money number package parcel parking passport password payment phone "
        "question receipt recipe refunds request reservation room salary schedule shipment shoes size statement "
        "subscription tickets tracking train trains transfer update upgrade visa voucher warranty website bestellung "
        "buchung fehler frage konto lieferung paket rechnung reservierung zahlung cuenta entrega error factura paquete "
        "pago pedido pregunta reserva colis commande compte facture livraison paiement réservation "
        # how somebody is, or finds it
        "amazing annoyed annoying anything awesome awful bad been being broken cancelled confused confusing crazy cute "
        "dangerous delayed diabetic difficult disabled disappointed disappointing disgusting done due easy emergency "
        "excellent excited expired fake false fantastic frustrated frustrating furious gone great horrible hungry ill "
        "illegal important impossible insane intolerant late lost mad missing necessary needing never nice nothing "
        "offline often outrageous over overcharged overdue pathetic pregnant ready really regarding ridiculous scam "
        "sent sick someone something somebody strange surprised sure terrible tired unacceptable unbelievable abroad "
        "currently gluten outstanding unfair unhappy unsafe unusual upset urgent useful vegan vegetarian wonderful "
        "worried worse worst christmas easter halloween thanksgiving ramadan hanukkah feb apr jun jul aug sep sept oct "
        "nov dec "
        # behind “my name is” and “call me”
        "as asap before blank cut different displayed empty entered hidden immediately indicated listed longer "
        "misprinted mistyped first once our printed quickly recorded registered saved shown soon stored truncated twice "
        "typed used visible written "
    ).split()
)
# What somebody is, and no name: “Student here”, “Kunde hier”. Endings that nouns of German have, which are all written large.
_ROLES = frozenset(
    "mate buddy pal bro dude folks guys parent mom mum dad mother father teacher newbie noob beginner buyer tourist "
    "traveller traveler passenger guest dev admin programmer designer freelancer contractor pensioner senior veteran expat "
    "local resident renter homeowner taxpayer subscriber shopper client diabetic vegan nobody somebody someone anyone "
    "anybody everyone everybody click tap sign register download upload apply order book pay press enter scroll look come "
    "right up down over out in back neither kunde kundin neukunde stammkunde mieter mieterin käufer käuferin nutzer "
    "nutzerin anfänger mutter vater rentner gast student studentin selbständig selbstständig lehrer lehrerin patient "
    "patientin fehler problem frage bestellung niemand jemand alles nichts cliente clienta autónomo autónoma estudiante "
    "usuario usuaria nadie alguien todo nada inquilino inquilina madre padre étudiant étudiante utilisateur personne rien "
    "tout studente utente nessuno niente tutto".split()
)
_NOUNS_END = re.compile(r"(?:ung|heit|keit|schaft|tion|nummer|er[ií]a|ción|ité)$")
# Before a known first name: the two are a place.
_PLACE = re.compile(
    r"\b(?:san|santa|santo|são|sao|st|saint|port|puerto|fort|lake|mount|mt|new|los|las)\.? $", re.IGNORECASE
)
_FIRST_NAMES = frozenset(
    "anja detlef elke günter günther holger ingo jens jochen jörg katja kerstin nadine rainer silke thorsten torsten ute volker "
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


@cache
def _everyday_words() -> frozenset[str]:
    """Words that are nobody's name though they begin with a capital letter: the thousand most usual ones of English, and forms
    of them, without those that many people are called."""
    from faker.providers.lorem.en_US import Provider as Words  # half a second, for whoever masks
    from faker.providers.person.en_US import Provider as People

    words = {word.casefold() for word in Words.word_list}
    forms = {
        f"{word}{ending}" for word in words if len(word) > _SHORTEST_STEM for ending in ("s", "es", "ed", "d", "ly")
    }
    people = {name.casefold() for name in (*People.first_names, *People.last_names)} | _FIRST_NAMES
    return frozenset(((words | forms) - people) | _COMMON_WORDS | _ROLES)


def names_in(text: str) -> Iterator[PersonalDatum]:
    """The names of people in a text, not in order; one may be told twice. English, and what is usual in five others."""
    text = text[:LONGEST_LOOKED_AT]
    for start, end in (*_introduced(text), *_pointed_at(text), *_addressed(text), *_signed(text), *_calling(text)):
        if end > start:
            yield PersonalDatum(start, end, PersonalDataKind.NAME)
    for word in _NAME_WORD.finditer(text):
        known = word[0][0].isupper() and word[0].casefold() in _FIRST_NAMES
        if known and not _is_none(text, word):
            yield PersonalDatum(word.start(), _name_end(text, word.start()), PersonalDataKind.NAME)


def _introduced(text: str) -> Iterator[tuple[int, int]]:
    for found in _INTRODUCES.finditer(text):
        if not _THING.search(text[max(0, found.start() - _LONGEST_THING) : found.start()]):
            yield found.end(), _name_end(text, found.end(), lower_too=True)


def _pointed_at(text: str) -> Iterator[tuple[int, int]]:
    for found in _POINTS_AT.finditer(text):
        end = _name_end(text, found.end(), is_likely=False)
        if not (_GREETS.fullmatch(found[0]) and _begins_a_sentence(text, found.end(), end)):
            yield found.end(), end


def _addressed(text: str) -> Iterator[tuple[int, int]]:
    for found in _ADDRESSED.finditer(text):
        yield found.end(), _name_end(text, found.end(), is_likely=found[0].strip(" \t.") not in _AS_A_TITLE)


def _signed(text: str) -> Iterator[tuple[int, int]]:
    """A name that stands alone in its line below a greeting."""
    for found in _SIGNED.finditer(text):
        end = _name_end(text, found.end(), is_likely=False)
        if _LINE_ENDS.match(text, end):
            yield found.end(), end


def _calling(text: str) -> Iterator[tuple[int, int]]:
    """Who says of themselves that they are here."""
    for found in _CALLS.finditer(text):
        start, end = found.span("name")
        before = text[max(0, start - _LONGEST_GREETING) : start]
        is_noun = _NOUNS_END.search(found["name"]) is not None
        if not is_noun and _CALL_BEGINS.search(before) and _name_end(text, start, is_likely=False) == end:
            yield start, end


def _begins_a_sentence(text: str, start: int, end: int) -> bool:
    """Whether what follows a greeting is a sentence's first word: one word that no first name is, and the sentence goes on."""
    word = text[start:end]
    if " " in word or word.casefold() in _FIRST_NAMES:
        return False
    on = _SENTENCE_GOES_ON.match(text, end)
    return on is not None and not _BEHIND_A_NAME.match(text, on.end())


def _is_none(text: str, word: re.Match[str]) -> bool:
    """Whether a first name is a part of a place's, of a month or of a brand."""
    before = text[max(0, word.start() - _LONGEST_BEFORE) : word.start()]
    if _PLACE.search(before) or _NOT_A_PERSON.match(text, word.start()):
        return True
    return word[0].casefold() in _MONTHS and (
        _DAY_BEHIND.match(text, word.end()) is not None or _IN_A_MONTH.search(before) is not None
    )


def _name_end(text: str, start: int, *, lower_too: bool = False, is_likely: bool = True) -> int:
    """Where the name that begins at ``start`` ends; ``start`` where none does. ``is_likely`` when only a name stands there:
    then a word that is common, too, is one where it is written with a capital letter.
    """
    at, end, is_somebody = start, start, False
    for number in range(_MOST_WORDS):
        found = _NAME_WORD.match(text, at)
        if found is None:
            break
        word, folded = found[0], found[0].casefold().replace("’", "'")
        written_as_name = word[0].isupper() and (len(word) == 1 or not word.isupper() or lower_too) and word != "I"
        is_known = folded in _FIRST_NAMES
        takes_lower = lower_too and number < 2 and len(word) > 1
        is_none = folded in _NO_NAME or (folded in _MONTHS and _DAY_BEHIND.match(text, found.end()) is not None)
        as_written = is_likely and word[0].isupper() and not (lower_too and word.isupper())
        if not (is_known or is_somebody or as_written):
            is_none = is_none or folded in _everyday_words() or _NO_NAMES_END.match(folded) is not None
        is_somebody = is_somebody or is_known
        if is_none or not (written_as_name or (is_known and not number) or takes_lower):
            if not (number and folded in NAME_PARTICLES):
                break
        else:
            end = found.end()
        gap = _GAP.match(text, found.end())
        if gap is None or (gap[0][0] == "." and len(word) > 1):
            break
        at = gap.end()
    return end
