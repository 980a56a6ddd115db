"""What shops fill in where they know nothing, and what stands for many people: never an identifier."""

import re
import unicodedata


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _words(text: str) -> frozenset[str]:
    return frozenset(_folded(text).split())


# What stands before the @ where somebody had to write something: accents, case, dots and dashes are folded away before. What is also
# a name somewhere ('Brak', 'Keine', 'Anon') is left to ``_DOUBLED``.
_LOCALS = _words(
    """
    none noreply donotreply noresponse nobody unknown notknown na notapplicable notavailable notprovided nonegiven noaddress
    null nil undefined invalid anonymous anonymized redacted deleted deleteduser removed withheld declined refused placeholder
    test tester testing testtest testuser testcustomer testorder fake dummy asdf asdfasdf guest walkin walkincustomer cashsale
    cashcustomer mailerdaemon postmaster
    unbekannt nichtbekannt anonym keineangabe keineangaben keineadresse laufkunde laufkundschaft barverkauf barkunde
    aucun aucune inconnu anonyme nonrenseigne clientpassage neant
    ninguno ninguna notiene notengo noaplica nodisponible desconocido anonimo sindatos
    nenhum naotem naopossui naoinformado desconhecido consumidorfinal
    nessuno nessuna nonha nondisponibile sconosciuto
    onbekend anoniem niepodano niepodal nieznany anonim neuvedeno nezadano neznamy nepoznat ismeretlen necunoscut nuare
    saknas okand ukendt ukjent tuntematon eiole bilinmiyor netpochty netpochti neizvestno
    нет нетпочты неизвестно отсутствует немає αγνωστο なし 無し 不明 无 無 没有 未知 없음 لايوجد אין
    """
)
_NO = (
    "no|non|none|sin|sans|pasde|pasd|sem|naotem|senza|nonha|kein|keine|ohne|geen|zonder|brak|niema|bez|nemam?|nincs|fara|"
    "ingen|uden|utan|uten|ei|yok|without|notiene|notengo|nohay|missing"
)
_MAIL = (
    r"e?mail(?:s|a|u|ia|i|id|adress|addresse?|adresse?|address|adresi?)?|correo(?:electronico)?|courriel|e?posta|sahkopostia|"
    r"poczty|pochty"
)
_NO_MAIL = re.compile(
    rf"(?:{_NO})(?:{_MAIL})|(?:{_MAIL})(?:yok|niema|brak|nincs|fehlt|none|missing|unknown|inconnu)"
    r"|(?:test|tester|testing|testuser|guest|gast|noe?mail|noreply|dummy)\d{1,3}"
)
# Written on both sides of the @: 'keine@keine.de', 'abc@abc.com'.
_DOUBLED = _words(
    """
    no non nein nej net nic nada nope kein keine geen ingen brak niema nema neni yok aucun niemand noone anon abc abcd abc123 123 1234 12345
    qwe qwerty qwertz mail email user name domain customer client kunde klant cliente
    """
)
_MARKS = re.compile(r"[-._/]+|\+.*")
# Names kept for documents and tests (RFC 2606, RFC 6761); '.example' and '.test' themselves are left, to try things out with.
_NO_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example\.[a-z]{2,}(?:\.[a-z]{2})?|invalid|localhost)"
    r"|(?:none|no-?e?mail|no-?reply|keine?-?e?mail|unknown|deleted|test|(?:your|my)?-?domain)\.[a-z]{2,}"
)
# Mail that marketplaces pass on: the address changes with the order or the seller, or is made up. Apple's and Firefox's relays are
# one person's each, and so they are not here.
_RELAYS = frozenset(
    [
        "customer.otto.market",
        "magnalister.com",
        "relay.walmart.com",
        "marketplace.walmart.com",
        "convos.etsy.com",
        "relay.etsy.com",
        "verkopen.bol.com",
        "notification.mirakl.net",
        "allegromail.pl",
        "allegromail.com",
        "allegromail.cz",
        "allegromail.sk",
        "allegromail.hu",
        "fw.rakuten.ne.jp",
        "buyer.rakuten.co.jp",
        "kunde.kaufland.de",
        "kaufland-marktplatz.de",
        "buyer.kaufland.de",
        "clemarche.com",
        "scs.tiktokw.us",
        "scs2.tiktokw.us",
        "scs.tiktok.com",
        "sale.craigslist.org",
        "reply.craigslist.org",
    ]
)
_RELAYS_EVERYWHERE = re.compile(
    r"(?:.*\.)?(?:marketplace\.(?:amazon|kaufland|rakuten|fnac|cdiscount|zalando|manomano)|members\.ebay|mail\.mercadoli[bv]re)\.[a-z.]+"
)
# What programs send where they meant somebody's number and had none; WooCommerce's guests are customer 0.
_NO_IDS = frozenset(
    [
        "anonymous",
        "anon",
        "guest",
        "id",
        "distinct_id",
        "distinctid",
        "email",
        "undefined",
        "null",
        "none",
        "nil",
        "nan",
        "na",
        "n/a",
        "true",
        "false",
        "unknown",
        "not_authenticated",
    ]
) | {"[object object]", "(null)", "not set", "(not set)"}
_COUNTED = "01234567890123456789"


def is_placeholder(address: str) -> bool:
    """Mail addresses that shops fill in when they have none, in many languages, and relays that stand for many people."""
    local, _, domain = _folded(address).rpartition("@")
    word = _MARKS.sub("", local)
    is_one_sign = len(set(word)) == 1
    is_doubled = word == domain.partition(".")[0] and (is_one_sign or word in _DOUBLED)
    is_nobody = not word or word in _LOCALS or _NO_MAIL.fullmatch(word) or is_doubled or (is_one_sign and len(word) > 2)
    return bool(is_nobody) or is_nobodys_domain(domain)


def is_nobodys_domain(domain: str) -> bool:
    """Whether no address of a mail domain is one person's."""
    labels = domain.split(".")
    parents = {".".join(labels[start:]) for start in range(len(labels))}
    return bool(parents & _RELAYS or _RELAYS_EVERYWHERE.fullmatch(domain) or _NO_DOMAIN.fullmatch(domain))


def is_placeholder_number(national: str) -> bool:
    """A telephone number's national part: one digit again and again, a digit and zeros, or counted up or down ('06 12 34 56 78')."""
    is_counted = any(
        len(some) >= least and (some in _COUNTED or some in _COUNTED[::-1])
        for some, least in ((national, 5), (national[1:], 8))
    )
    return is_counted or len(national.strip("0")) <= 1 or len(set(national[-7:])) == 1


def is_placeholder_id(value: str) -> bool:
    """A customer number or id that stands for nobody."""
    text = value.strip().lower()
    return text in _NO_IDS or not text.strip("0-")
