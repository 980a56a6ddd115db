"""Whom a list is about: one identifier in a line is enough, and the file needs no header."""

import re
from collections.abc import Sequence
from dataclasses import replace

from regulars.connections.files.fields import guess_mapping
from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.layouts.people import find_person
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.values import Unreadable
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical_email

NAME = "any-list"
_PHONE = re.compile(r"(\+|00|0)[\d ().\-/]{6,18}")
_NUMBER = re.compile(r"[\w\-]*\d[\w\-]*")
_IDENTIFIERS = ("email", "phone", "customer_number")


def build(unit: Unit, reading: Reading) -> Built:
    """One person, by whatever of their identifiers stands in the line. Raises Unreadable."""
    row = unit.rows[0]
    person = find_person(unit.rows, reading, reading.at, Built())
    if person is None:
        raise Unreadable(_why(row, reading))
    said = person.contact or ContactCard()
    card = ContactCard(email=said.email, phone=said.phone, country=said.country)
    return Built(listed=[replace(person, evidence="list", contact=card if card != ContactCard() else None)])


def _why(row: Row, reading: Reading) -> str:
    said = {name: text for name in _IDENTIFIERS if (text := reading.columns.cell(row, name))}
    if email := said.get("email"):
        return f"'{email[:40]}' is not a mail address that tells who it is"
    if phone := said.get("phone"):
        return f"'{phone[:40]}' is not a possible phone number; one without its country code cannot be read"
    return "tells nobody apart" if said else "the line is empty in the columns that were chosen"


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a file's first line names its columns: it does not if a cell of it is an identifier, or is made as the one below it."""
    if not rows or guess_mapping(rows[0], Kind.LIST):
        return True
    below = rows[1] if len(rows) > 1 else []
    alike = any(shape == other and "9" in shape for shape, other in zip(_shapes(rows[0]), _shapes(below), strict=False))
    return not alike and not any(_looks(cell) in ("email", "phone") or cell.strip().isdigit() for cell in rows[0])


def _shapes(cells: Sequence[str]) -> list[str]:
    """'LC-1001' is made as 'LC-2207': 'aa-9999'."""
    return [re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", cell.strip())) for cell in cells]


def guess_columns(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Which column holds what: by their headers, else by what stands in most of their first cells."""
    found = guess_mapping(headers, Kind.LIST)
    if any(name in found for name in _IDENTIFIERS):
        return found
    for place, header in enumerate(headers):
        looks = [_looks(row[place]) for row in rows if place < len(row) and row[place].strip()]
        name = max(_IDENTIFIERS, key=looks.count)
        if name not in found and looks.count(name) > len(looks) / 2:
            found[name] = header
    return found


def _looks(cell: str) -> str:
    """'email', 'phone' or 'customer_number'; '' for what is none of them."""
    text = cell.strip().removeprefix("'")
    if "@" in text:
        return "email" if canonical_email(text) else ""
    if _PHONE.fullmatch(text) and sum(letter.isdigit() for letter in text) >= 7:
        return "phone"
    return "customer_number" if len(text) <= 40 and _NUMBER.fullmatch(text) else ""


LAYOUT = register(Layout(NAME, Kind.LIST, "Identifiers of people", {}, (), build, is_guessed=False))
