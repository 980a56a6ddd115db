"""Copies of files that wait, and rows that were skipped or altered, may speak of a person who is in the record: they go with them."""

import codecs
from datetime import datetime
from typing import Any

from regulars.connections.files import copies
from regulars.connections.files.models import Import, RejectedRows
from regulars.connections.files.operations import drop_copy
from regulars.connections.files.operations.staging import WITH_COPY
from regulars.connections.files.sealed import key_of, lines_of, name_of, seal_lines, seal_name
from regulars.connections.files.speaking import Person
from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.sealing import CannotOpen, KeyRing
from regulars.foundation.vault.rotation import WRAPPED
from regulars.record.customers.queries import customers_of, read_cards, read_identities

_OVERLAP = 400  # letters: what speaks of somebody may stand where two pieces meet


def _person(profile_ids: list[int]) -> Person:
    owners = sorted(set(customers_of(profile_ids).values()))
    identities = [identity.value for owner in owners for identity in read_identities(owner)]
    return Person.of(identities, [(card.first_name, card.last_name) for card in read_cards(owners).values()])


def _cells(line: list[Any]) -> list[str]:
    return [str(cell) for cell in line[-1]]


def _export_lines(profile_ids: list[int]) -> list[dict[str, Any]]:
    person = _person(profile_ids)
    return [
        {"import": rows.source.pk, "line": line}
        for rows in RejectedRows.objects.select_related("source").order_by("pk").iterator()
        for line in lines_of(rows)
        if person.is_in_cells(_cells(line))
    ]


def _erase_lines(profile_ids: list[int], at: datetime) -> int:
    person, count = _person(profile_ids), 0
    for rows in RejectedRows.objects.select_related("source").order_by("pk").iterator():
        key = key_of(rows.source)
        lines = lines_of(rows, key)
        kept = [[*line[:-1], []] if person.is_in_cells(_cells(line)) else line for line in lines]
        if kept != lines:
            count += 1
            rows.lines = seal_lines(key, rows.source.uid, rows.first_unit, kept)
            rows.save(update_fields=["lines"])
    return count


def _is_in_copy(person: Person, row: Import) -> bool:
    """Reads the copy piece by piece; one that cannot be read counts as if it spoke of them."""
    decoder = codecs.getincrementaldecoder(str(row.format["encoding"]))(errors="replace")
    before = ""
    try:
        with copies.open_copy(row.uid, key_of(row)) as file:
            for piece in copies.plain_pieces(file):
                text = before + decoder.decode(piece)
                if person.is_in_text(text):
                    return True
                before = text[-_OVERLAP:]
    except CannotOpen:
        return True
    return False


def _erase_copies(profile_ids: list[int], at: datetime) -> int:
    """Files that wait and hold the person are dropped: whoever goes on with them would bring the person back."""
    person = _person(profile_ids)
    named = [row for row in Import.objects.exclude(sealed_name=b"") if person.is_in_text(name_of(row))]
    for row in named:
        row.sealed_name = seal_name(key_of(row), row.uid, f"{row.kind}.csv")
        row.save(update_fields=["sealed_name"])
    waiting = Import.objects.filter(state__in=WITH_COPY).order_by("pk")
    held = [row for row in waiting if copies.has_copy(row.uid) and _is_in_copy(person, row)]
    for row in held:
        drop_copy(row, "Somebody who is in this file was erased, and its copy with them")
    return len(named) + len(held)


def _rewrap(ring: KeyRing) -> int:
    """The keys of staged copies and reject files, under the first master key."""
    rows = Import.objects.exclude(master_id=ring.current_id)
    for row in rows:
        plain = ring.unwrap(row.master_id, bytes(row.wrapped_key), row.pk)
        row.master_id, row.wrapped_key = ring.wrap(plain, row.pk)
        row.save(update_fields=["master_id", "wrapped_key"])
    return len(rows)


WRAPPED.register("files", _rewrap)
register(
    SubjectData(
        "files_import",
        lambda profile_ids: [],  # a copy waits for a week at most, and nothing in it is in the record yet
        _erase_copies,
        "that a file was imported, when, and how many rows it had",
    )
)
register(
    SubjectData(
        "files_rejectedrows", _export_lines, _erase_lines, "line numbers and reasons, without what stood in the line"
    )
)
