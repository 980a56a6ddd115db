"""Contact data: what is sealed, what stays in clear beside it, and how it is searched and asked for."""

import json
import re
import unicodedata
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache, lru_cache

from regulars.foundation.errors import InvalidInput
from regulars.foundation.relations import LIST_MARK
from regulars.foundation.sealing import KeyRing
from regulars.record.customers.zones import known_zone, zone_of_country

PREFIX_LENGTHS = range(2, 9)
SEARCH_PURPOSE = "customer search"


@dataclass(frozen=True)
class ContactCard:
    """A person's contact data; '' is 'not known'. Country is ISO 3166-1 alpha-2, language BCP 47, phone E.164."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    region: str = ""
    country: str = ""
    language: str = ""
    time_zone: str = ""

    @property
    def full_name(self) -> str:
        return self.name or f"{self.first_name} {self.last_name}".strip()

    @property
    def mail_domain(self) -> str:
        return self.email.rpartition("@")[2].lower()

    @property
    def postal_area(self) -> str:
        """Outward part of the postal code ('SW1A' of 'SW1A 1AA', '80' of '80331'): coarse enough to stay in clear."""
        code = self.postal_code.strip().upper()
        return code.split(" ")[0][:4] if " " in code else code[:2]

    @property
    def known_zone(self) -> str:
        """The time zone that is said, or that the whole country has."""
        return known_zone(self.time_zone) or zone_of_country(self.country)

    def to_bytes(self) -> bytes:
        """Compact JSON of what is known."""
        return json.dumps(
            {k: v for k, v in vars(self).items() if v}, ensure_ascii=False, separators=(",", ":")
        ).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "ContactCard":
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in json.loads(raw).items() if k in known})

    def merged_over(self, older: "ContactCard") -> "ContactCard":
        """This card, with what it does not say taken from an older one."""
        return ContactCard(**{k: v or getattr(older, k) for k, v in vars(self).items()})


def fold(text: str) -> str:
    """Case and accents folded away, for search: 'Müller' and 'MULLER' are the same word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_words(card: ContactCard) -> set[str]:
    """Words that a search as you type can begin with: those of the name and company, and the mail's local part and its pieces."""
    local = fold(card.email.partition("@")[0])
    words = set(fold(f"{card.full_name} {card.company}").split())
    return {w for w in words | {local} | set(local.replace("_", ".").replace("-", ".").split(".")) if len(w) >= 2}


def _prefixes(word: str) -> Iterator[str]:
    return (word[:length] for length in PREFIX_LENGTHS if length <= len(word))


def search_tokens(card: ContactCard, ring: KeyRing) -> list[int]:
    """Keyed tokens of every prefix of 2 to 8 characters of every word, sorted; what they leak stands in docs/privacy.md."""
    prefixes = {p for word in search_words(card) for p in _prefixes(word)}
    return sorted(ring.token_number(SEARCH_PURPOSE, p) for p in prefixes)


def query_tokens(query: str, ring: KeyRing) -> list[int]:
    """Tokens that a customer must all have to match what was typed: one for each word of at least 2 characters."""
    words = [fold(w) for w in query.replace("@", " ").split()]
    return [ring.token_number(SEARCH_PURPOSE, w[: PREFIX_LENGTHS[-1]]) for w in words if len(w) >= 2]


# Fields that conditions ask for by keyed tokens, in the order in which ``ContactVersion.words`` holds them.
ASKED = ("full_name", "first_name", "last_name", "email", "phone", "company", "street", "city")
_TOKEN_BYTES = 6  # of a million people with 50 tokens each, one word in five million meets another's token
_WHOLE = "\n"  # ends a whole word, so that it is no begin


def asked_words(card: ContactCard, ring: KeyRing) -> list[str]:
    """Of each field of ``ASKED`` the list of its tokens: of the whole, and of its first 2 to 8 characters; '' where it is not known."""
    return [_tokens(field, text, ring) if (text := getattr(card, field)) else "" for field in ASKED]


@lru_cache(20_000)
def _tokens(field: str, text: str, ring: KeyRing) -> str:
    plain = as_asked(field, text)
    parts = [plain + _WHOLE, *_prefixes(plain)] if plain else []
    token = _token(field, ring)
    return LIST_MARK + "".join([token(part) + LIST_MARK for part in parts]) if parts else ""


@cache
def _token(field: str, ring: KeyRing) -> Callable[[str], str]:
    of = ring.short_tokens(f"asked {field}", _TOKEN_BYTES)
    return lambda part: b2a_base64(of(part.encode()), newline=False).decode()


def as_asked(field: str, text: str) -> str:
    """The text as it is compared: without case, accents and blanks around; of a number its digits and the plus before them."""
    return re.sub(r"[^\d+]", "", text) if field == "phone" else " ".join(fold(text).split())


def word_token(field: str, word: str, is_begin: bool, ring: KeyRing) -> str:
    """The token of a whole field, or of its begin. Raises InvalidInput where none is kept."""
    plain = as_asked(field, word)
    if field == "phone" and not re.fullmatch(r"\+\d+", plain):
        raise InvalidInput("a number is written with its country, such as +49 30 901820.")
    if is_begin and len(plain) not in PREFIX_LENGTHS:
        raise InvalidInput("of personal fields the first 2 to 8 letters are kept: give a begin of so many.")
    if not plain:
        raise InvalidInput("a word with a letter or a digit.")
    return _token(field, ring)(plain if is_begin else plain + _WHOLE)
