"""Word lists, in English, Spanish and German, for the masks of the normaliser and the traits of a text. All in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(text: str) -> Mapping[str, str]:
    """``"name: word word; name: word"`` as a table from each word to its name."""
    rows = (row.split(":") for row in text.split(";"))
    return MappingProxyType({word: name.strip() for name, members in rows for word in members.split()})


WEEKDAYS = _words("""
    monday tuesday wednesday thursday friday saturday sunday
    mondays tuesdays wednesdays thursdays fridays saturdays sundays
    lunes martes miércoles miercoles jueves viernes sábado sabado sábados domingo domingos
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    montags dienstags mittwochs donnerstags freitags samstags sonntags
""")
# Months that stand for a date also without a day; "may", "march" and "mayo" are other words too.
BARE_MONTHS = _words("""
    january february april june july august september october november december
    enero febrero marzo abril junio julio agosto septiembre setiembre octubre noviembre diciembre
    januar jänner februar märz mai juni juli oktober dezember
""")
MONTHS = BARE_MONTHS | _words("""
    march may mayo jan feb mar apr jun jul aug sep sept oct nov dec ene abr ago dic okt dez
""")
ID_NOUNS = _words("""
    order invoice ticket reference ref number no nr case account tracking booking reservation confirmation sku customer
    claim policy shipment parcel package receipt transaction payment request id code serial flight
    pedido factura referencia número numero núm reserva cuenta cliente código vuelo envío
    bestellung bestellnummer rechnung rechnungsnummer kundennummer nummer buchung buchungsnummer auftrag konto sendung flug
""")
ABBREVIATED = _words("no nr ref núm num") | _words("jan feb mar apr jun jul aug sep sept oct nov dec")
FORMS_OF_ADDRESS = _words("mr mrs ms miss mx herr hr frau fr señor señora señorita sr sra srta don doña")
HONORIFICS = FORMS_OF_ADDRESS | _words("dr prof sir madam")
GREETINGS = _words("hi hello hey dear hola estimado estimada querido querida hallo liebe lieber")
SIGN_OFFS = _words("""
    regards thanks cheers sincerely best yours love thx gracias saludos atentamente cordialmente abrazo
    grüße grüßen gruß grüsse danke dank mfg
""")
BEFORE_SIGN_OFF = _words("""
    kind best warm many with all muchas cordiales mil un viele vielen liebe freundlichen besten schöne you
""")
NAME_PARTICLES = _words("de la del van von der den da dos di al el bin ibn")
# A capital letter does not make these a name, wherever they stand.
NOT_NAMES = _words("""
    i my me we our us you your he she it they the a an this that these those there here and or but so if when where what
    who why how which is are was were am do does did can could would should will may please need want have has had for to
    in on at of from with not no yes ok okay again everyone everybody all both team support customer service sir madam
    tell give show help let get send make check cancel refund could kindly just also now sorry thanks thank regards
    american british english german french spanish italian mexican chinese japanese indian canadian australian dutch swiss
    austrian portuguese brazilian russian polish turkish greek irish scottish welsh european african asian korean
    ukrainian jewish muslim christian catholic hindu buddhist
    español española mexicano mexicana alemán alemana argentino argentina colombiano colombiana vegetariano vegetariana
    yo mi tu su el la los las un una qué cómo dónde cuándo por para necesito quiero puede podría tengo hay es
    ich wir sie mein meine der die das ein eine wie was wo wann warum kann können könnten bitte haben ist sind student
    studentin rentner rentnerin damen herren zusammen leute
""")

UNITS = _table("""
    s: second seconds sec secs segundo segundos sekunde sekunden; ms: ms millisecond milliseconds;
    min: minute minutes min mins minuto minutos minuten; h: hour hours hr hrs h hora horas stunde stunden;
    day: day days día días dia dias tag tage tagen tages; week: week weeks wk wks semana semanas woche wochen;
    month: month months mes meses monat monate monaten monats; night: night nights noche noches nacht nächte nächten;
    year: year years yr yrs año años jahr jahre jahren jahres; quarter: quarter quarters quartal quartale trimestre;
    kg: kg kilo kilos kilogram kilograms kilogramm; g: g gram grams gramo gramos gramm; mg: mg milligram milligrams
    miligramos milligramm; mcg: mcg μg; lb: lb lbs; oz: oz ounce ounces; pound: pound pounds libras pfund; ton: ton tons
    tonne tonnes toneladas tonnen; ml: ml millilitre milliliter millilitres milliliters; l: l liter liters litre litres
    litro litros; gal: gallon gallons; m: m meter meters metre metres metro metros; km: km kilometer kilometers
    kilometre kilometres kilómetro kilómetros kilometern; cm: cm centimeter centimetres centimeters centímetros
    zentimeter; mm: mm millimeter millimeters; mile: mile miles mi meilen millas; ft: ft foot feet; inch: inch inches
    zoll pulgadas; yd: yard yards; deg: degree degrees grados grad; C: c celsius; F: f fahrenheit; kb: kb; mb: mb; gb: gb;
    tb: tb; px: px pixel pixels; %: percent percentage prozent; $: dollar dollars usd bucks dólar dólares dolares;
    €: euro euros eur; £: gbp; ¥: yen jpy; chf: chf franken; peso: peso pesos mxn; cent: cent cents céntimos;
    x: times veces vez mal; unit: unit units; kwh: kwh; cal: calories kcal calorías kalorien
""")
# "a week" is one week; "a second" and "a pound" are often something else.
DURATIONS = _words("""
    minute hour day week month year minuto hora día dia semana mes año minute stunde tag tages woche monat jahr night
""")
EVERY = _table("""
    day: daily diario diaria diariamente täglich; week: weekly semanal semanalmente wöchentlich;
    month: monthly mensual mensualmente monatlich; year: yearly annual annually anual anualmente jährlich;
    h: hourly stündlich; week/2: biweekly fortnightly fortnight
""")
ONE_OF = _words("a an one un una ein eine einen einem einer per each every cada al por pro jede jeden jedes")
NUMBER_WORDS = MappingProxyType(
    {
        word: value
        for value, row in enumerate(
            """one; two dos zwei zwo; three tres drei; four cuatro vier; five cinco fünf; six seis sechs; seven siete sieben;
            eight ocho acht; nine nueve neun; ten diez zehn; eleven elf; twelve doce zwölf; thirteen trece dreizehn;
            fourteen catorce vierzehn; fifteen quince fünfzehn; sixteen dieciséis sechzehn; seventeen diecisiete siebzehn;
            eighteen dieciocho achtzehn; nineteen diecinueve neunzehn; twenty veinte zwanzig""".split(";"),
            start=1,
        )
        for word in row.split()
    }
    | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
    | {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50}
    | {
        "both": 2,
        "beide": 2,
        "ambos": 2,
        "once": 11,
        "twice": 2,
        "zweimal": 2,
        "dreimal": 3,
        "thrice": 3,
        "half": 0.5,
        "media": 0.5,
        "halbe": 0.5,
    }
    | {"halben": 0.5, "medio": 0.5, "hundred": 100, "hundert": 100, "cien": 100, "zweihundert": 200, "doscientos": 200}
)
ORDINALS = _table("""
    2: second segundo segunda zweite zweiten zweiter zweites; 3: third tercero tercera tercer dritte dritten dritter;
    4: fourth cuarto cuarta vierte vierten; 5: fifth quinto quinta fünfte fünften; 6: sixth sexto sechste sechsten
""")
SEVERAL = (["more", "than"], ["más", "de"], ["mehr", "als"])  # before "one"
TIMES = _words("twice thrice zweimal dreimal")
HALVES = _words("half media medio halbe halben")
MULTIPLIERS = MappingProxyType(
    {
        "k": 1000,
        "dozen": 12,
        "docena": 12,
        "docenas": 12,
        "dutzend": 12,
        "hundred": 100,
        "hundert": 100,
        "thousand": 1000,
    }
    | {"mil": 1000, "tausend": 1000, "million": 1_000_000, "millones": 1_000_000, "millionen": 1_000_000}
)
# Words after a number that do not name what is counted.
NO_NOUN = _words("""
    of the and or to in is are was were for at on by with from my de del la los las y o en para von der die das den und oder
    in für mit sind war waren i we you it he she they that but
""")
# A number before these counts nothing: "two-factor".
NO_COUNT = _words("factor step way")
UNIT_KINDS = _words("square cubic fluid metric")

NEGATIONS = _words("""
    not no nein never nevermind without none nothing nobody nowhere neither nor unable impossible invalid incorrect
    unavailable unsafe hardly barely scarcely unauthorised unauthorized
    nunca jamás jamas sin nada nadie ningún ningun ninguna ninguno tampoco apenas imposible
    nicht nichts kaum kein keine keinen keinem keiner keines nie niemals niemand ohne weder unmöglich ungültig
""")
# "I don't know how to …" asks the same as "how do I …".
KNOWING = _words("know sure understand see sé entiendo")
ASKED = _words("how what why where when who which whether if cómo qué dónde cuándo si por")
# In Spanish these go along with another negation and do not undo it ("no quiero nada"); so do nor and neither.
CONCORD = _words("nunca jamás jamas nada nadie ningún ningun ninguna ninguno tampoco nor neither")

# Eight axes of opposites; on each axis a text stands on one side, the other, both or none.
_AXES = (
    ("before antes earlier vor vorher bevor früher", "after después despues later nach nachher nachdem später"),
    (
        "enter deposit depositing incoming arrive arriving arrival arrivals ingresar entrar abheben llegada ankunft",
        "exit withdraw withdrawing withdrawal outgoing depart departing departure departures  retirar salir "
        "einzahlen salida abflug",
    ),
    (
        "increase increased increasing raise raised raising upgrade upgrading higher more faster aumentar aumento subir "
        "erhöhen erhöht höher mehr maximum max rise rises rising rose longer larger bigger",
        "decrease decreased decreasing reduce reduced reducing lower lowered lowering downgrade downgrading less fewer "
        "slower reducir bajar disminuir senken gesenkt niedriger weniger minimum min fall falls falling shorter smaller",
    ),
    (
        "enable enabled enabling activate activated activating subscribe opted activar activado "
        "aktivieren aktiviert einschalten encender suscribirme abonnieren",
        "disable disabled disabling deactivate deactivated deactivating unsubscribe desactivar "
        "desactivado deaktivieren deaktiviert ausschalten apagar darme abbestellen",
    ),
    (
        "add adding added install installing including include includes included attach push import encrypt añadir "
        "agregar instalar hinzufügen "
        "installieren serialize encode",
        "remove removing removed delete deleting deleted uninstall uninstalling exclude excludes excluded "
        "excluding detach export pull decrypt "
        "quitar eliminar borrar desinstalar entfernen löschen deinstallieren deserialize decode",
    ),
    (
        "buy buying bought send sending sent lend comprar enviar verkaufe kaufen senden schicken",
        "sell selling sold receive receiving received borrow vender recibir verkaufen erhalten bekommen",
    ),
    (
        "open opening opened start starting started begin accept accepted approve approved abrir empezar aceptar öffnen "
        "eröffnen starten annehmen genehmigen allow unlock unblock unblocked desbloquear entsperren",
        "close closing closed stop stopping stopped end ending reject rejected decline declined cerrar terminar rechazar "
        "schließen beenden ablehnen abgelehnt forbid lock block blocked bloquear sperren",
    ),
    (
        "first oldest left ascending minimal cheapest single individual einzelzimmer primera primer älteste "
        "links aufsteigend cheaper",
        "last newest latest right descending maximal priciest double doble doppelzimmer última último neueste "
        "rechts absteigend dearer",
    ),
)
POLES: Mapping[str, int] = MappingProxyType(
    {
        word: 1 << (2 * axis + side)
        for axis, sides in enumerate(_AXES)
        for side, members in enumerate(sides)
        for word in members.split()
    }
)
# "left" and "right" are sides only before what has sides, not in "right now" and "what is left on".
NO_SIDE = _words("now away after before here there on my the in at with to and is are")
# "on" and "in" speak for a direction only after one of these verbs.
PHRASAL = _words(
    "go goes went going turn turned turning switch switched switching log logged logging sign signed signing check checked opt"
)
PARTICLES: Mapping[str, int] = MappingProxyType(
    {"in": 1 << 2, "out": 1 << 3, "up": 1 << 4, "down": 1 << 5, "on": 1 << 6, "off": 1 << 7}
)
# After these something is turned into something else without a "from": "cast int to string".
CONVERTING = _words("convert cast translate exchange transform migrate convertir traducir")
FROM = _words("from von vom aus desde de del")
FROM_SPANISH = _words("desde de del")
TOWARDS = _words("to into onto nach zu zum zur auf al hacia hasta")
DETERMINERS = _words("""
    the my your our their his her its an this that mi tu su el la los las nuestra nuestro mein meine meinen meinem meiner
    der die das den dem dein ein eine einem
""")
# What goes from and to is named by the word after these: "my account A", "la cuenta de ahorros".
VAGUE = _words("account cuenta de konto card tarjeta")

GERMAN = _words(
    "ich und der die das nicht ist mein meine meinen für wie ein eine zu den dem wir sie kann mir bitte auf von mit"
)
# After "nach" and "aus" a German noun without an article is a place, these apart.
NO_PLACE = _words("hause erhalt ablauf versehen gründen bedarf abzug zahlung lieferung art holz metall")
PLACES = _words("""
    london paris rome berlin madrid barcelona lisbon munich hamburg vienna zurich geneva amsterdam brussels dublin oslo
    stockholm copenhagen helsinki warsaw prague budapest athens istanbul moscow tokyo osaka seoul beijing shanghai delhi
    mumbai sydney melbourne toronto montreal vancouver chicago boston miami dallas seattle denver atlanta dubai singapore
    bangkok cairo lagos nairobi lima bogotá quito havana sevilla seville valencia málaga bilbao lisboa roma londres berlín
    múnich parís milán milan naples florence venice münchen köln frankfurt stuttgart wien zürich genf rom mailand
    spain france germany italy portugal austria switzerland belgium netherlands poland greece turkey ireland england
    scotland wales norway sweden denmark finland russia ukraine china japan korea india australia canada mexico brazil
    chile peru colombia egypt morocco kenya españa francia alemania italia méxico brasil perú japón
    deutschland frankreich spanien italien österreich schweiz polen griechenland türkei usa uk
    visa mastercard amex paypal klarna bizum windows linux macos android ios iphone ipad python javascript typescript
    java rust golang kotlin ruby php sql postgres mysql sqlite mongodb redis docker kubernetes aws azure gcp
    ibuprofen aspirin paracetamol amoxicillin metformin penicillin ibuprofeno paracetamol aspirina
    json yaml csv pdf xml
    netflix spotify amazon google apple samsung microsoft sony nokia huawei xiaomi lenovo toyota honda bmw ford volkswagen
    audi mercedes tesla renault uber airbnb ryanair easyjet lufthansa iberia whatsapp instagram facebook tiktok youtube
    twitter gmail outlook slack excel dhl fedex vodafone github gitlab
""")

ASKING = _words("""
    please want like need could would can may quiero quisiera necesito puede puedes podría por favor bitte möchte möchten
    brauche kann können könnten hätte will
""")
# Words that name no thing.
NO_ITEM = _words("""
    the a an my your our his her their this that these those by with in on to for at of is are it be from as and or not no
    something anything someone anyone so else whatever whether more less do does did can will should i you we they
    if when how what el la los las un una mi su de en con por para que no más menos algo der die das den dem ein eine einen
    einem mein meine zu mit von für nicht kein keine le les une des mon votre du ce cette pas
""")
