"""What shops fill in where they know nothing, and what stands for many people: never an identifier."""

import re

_LOCALS = frozenset(
    [
        "none",
        "noemail",
        "nomail",
        "noreply",
        "donotreply",
        "noresponse",
        "unknown",
        "test",
        "tester",
        "testing",
        "guest",
        "nobody",
        "na",
        "null",
        "nil",
        "undefined",
        "anonymous",
        "invalid",
        "fake",
        "dummy",
        "placeholder",
        "keinemail",
        "keineemail",
        "noaddress",
        "notprovided",
        "walkin",
        "asdf",
        "mailerdaemon",
        "postmaster",
    ]
)
_MARKS = re.compile(r"[-._/]+|\+.*")
# Names kept for documents and tests (RFC 2606, RFC 6761); '.example' and '.test' themselves are left, to try things out with.
_NO_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example\.[a-z]{2,}(?:\.[a-z]{2})?|invalid|localhost)|(?:none|noemail|nomail|test)\.[a-z]{2,}"
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
    """Mail addresses that shops fill in when they have none, and relays that stand for many people."""
    local, _, domain = address.lower().rpartition("@")
    word = _MARKS.sub("", local)
    again_and_again = len(word) > 2 and len(set(word)) == 1
    return not word or word in _LOCALS or again_and_again or is_nobodys_domain(domain)


def is_nobodys_domain(domain: str) -> bool:
    """Whether no address of a mail domain is one person's."""
    labels = domain.split(".")
    parents = {".".join(labels[start:]) for start in range(len(labels))}
    return bool(parents & _RELAYS or _RELAYS_EVERYWHERE.fullmatch(domain) or _NO_DOMAIN.fullmatch(domain))


def is_placeholder_number(national: str) -> bool:
    """A telephone number's national part: one digit again and again, a digit and zeros, or counted up or down."""
    counted = len(national) >= 5 and (national in _COUNTED or national in _COUNTED[::-1])
    return counted or len(national.strip("0")) <= 1 or len(set(national)) == 1


def is_placeholder_id(value: str) -> bool:
    """A customer number or id that stands for nobody."""
    text = value.strip().lower()
    return text in _NO_IDS or not text.strip("0-")
