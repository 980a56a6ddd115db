"""The demo's people: made names, addresses and consent for the ledger's customer numbers. None of them exists.

Each person follows from the seed and the customer number alone, so a slice of the shop has the same people as the whole.
Mail addresses end in ``.example``, a name that can never be delivered to (RFC 2606).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from demo import SEED
from demo.source import DATA, Shopper

COUNTRIES: dict[str, str] = {
    "Australia": "AU", "Austria": "AT", "Bahrain": "BH", "Belgium": "BE", "Brazil": "BR", "Canada": "CA", "Channel Islands": "GG",
    "Cyprus": "CY", "Czech Republic": "CZ", "Denmark": "DK", "EIRE": "IE", "Finland": "FI", "France": "FR", "Germany": "DE",
    "Greece": "GR", "Hong Kong": "HK", "Iceland": "IS", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Lebanon": "LB", "Lithuania": "LT",
    "Malta": "MT", "Netherlands": "NL", "Norway": "NO", "Poland": "PL", "Portugal": "PT", "RSA": "ZA", "Saudi Arabia": "SA",
    "Singapore": "SG", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH", "USA": "US", "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}  # fmt: skip
"""The ledger's names of countries; 'European Community' and 'Unspecified' say nothing and are taken for British."""

_DOMAINS = ("mailbox.example", "post.example", "inbox.example", "letterbox.example", "webmail.example")
_TRADES = ("Gifts", "Interiors", "Florist", "Tea Rooms", "Home & Garden", "Boutique", "Books & Cards", "Farm Shop")
_METHODS = (("checkout", 55), ("form", 25), ("double opt-in", 20))
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "æ": "ae"}
)
_NO_I_O = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True)
class Person:
    """A made person. ``consent`` is granted, denied or '' for unknown."""

    number: str
    first_name: str
    last_name: str
    email: str
    company: str
    street: str
    city: str
    postal_code: str
    country: str
    language: str
    first_at: datetime
    consent: str
    consent_at: datetime
    consent_method: str


def make_people(shoppers: Iterable[Shopper], seed: int = SEED) -> list[Person]:
    """One person for each shopper, mail addresses all different."""
    taken: set[str] = set()
    return [_make_person(shopper, Random(f"{seed} {shopper.number}"), taken) for shopper in shoppers]  # noqa: S311


def _make_person(shopper: Shopper, chance: Random, taken: set[str]) -> Person:
    country = COUNTRIES.get(shopper.country, "GB")
    pool = _pools()[country]
    first, first_latin = chance.choice(pool["women"] if chance.random() < 0.68 else pool["men"])
    last, last_latin = chance.choice(pool["last"])
    city, code = chance.choice(pool["places"])
    company = f"{last} {chance.choice(_TRADES)}" if len(shopper.orders) > 8 and chance.random() < 0.4 else ""
    state, method = _consent(chance)
    return Person(
        number=shopper.number,
        first_name=first,
        last_name=last,
        email=_mail(f"{first_latin}.{last_latin}", last_latin if company else "", shopper.number, chance, taken),
        company=company,
        street=chance.choice(pool["streets"]).format(n=chance.randint(1, 140)),
        city=city,
        postal_code=_fill(code, chance),
        country=country,
        language=pool["language"],
        first_at=shopper.first_at,
        consent=state,
        consent_at=shopper.first_at + timedelta(minutes=chance.choice((0, 0, 0, 4, 60 * 26))),
        consent_method=method,
    )


def _consent(chance: Random) -> tuple[str, str]:
    drawn = chance.random()
    if drawn < 0.76:
        return "granted", chance.choices([m for m, _ in _METHODS], [share for _, share in _METHODS])[0]
    return ("denied", "checkout") if drawn < 0.84 else ("", "")


def _mail(name: str, company: str, number: str, chance: Random, taken: set[str]) -> str:
    domain = f"{_ascii(company)}-shop.example" if company else chance.choice(_DOMAINS)
    local = _ascii(name).strip(".")
    for candidate in (local, f"{local}{number[-2:]}", f"{local}.{number}"):
        if f"{candidate}@{domain}" not in taken:
            break
    taken.add(f"{candidate}@{domain}")
    return f"{candidate}@{domain}"


def _ascii(text: str) -> str:
    """Letters that a mail address may have: 'Müller' becomes 'mueller', "O'Brien" 'obrien'."""
    spelled = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return re.sub(r"[^a-z.]", "", spelled.replace(" ", ""))


def _fill(pattern: str, chance: Random) -> str:
    letters = {"#": "0123456789", "@": _NO_I_O}
    filled = "".join(chance.choice(letters.get(sign, sign)) for sign in pattern)
    return re.sub(r"(?<=[A-Z])0", "1", filled, count=1)


@cache
def _pools() -> dict[str, dict[str, Any]]:
    raw = tomllib.loads((DATA / "people.toml").read_text(encoding="utf-8"))
    return {country: _pool(pool) for country, pool in raw.items()}


def _pool(raw: dict[str, str]) -> dict[str, Any]:
    names = {kind: list(_names(raw[kind])) for kind in ("women", "men", "last")}
    places = [tuple(place.split(":")) for place in raw["places"].split("; ")]
    return {"language": raw["language"], "streets": raw["streets"].split("; "), "places": places, **names}


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Each name with its spelling for a mail address."""
    for entry in text.split(", "):
        name, _, latin = entry.partition("=")
        yield name, latin or name
