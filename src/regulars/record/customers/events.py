"""What happens to customers, as events."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

CREATED = register("customer.created", "A person was seen for the first time", store_id="store, where known")
CONTACT_CHANGED = register(
    "customer.contact_changed", "Contact data changed", fields="names of the fields, not their values"
)
ATTRIBUTE_SET = register(
    "customer.attribute_set", "A property was set", name="its name", clear="its value, where classed as not personal"
)
TAGGED = register("customer.tagged", "A tag was put on", tag="its name")
UNTAGGED = register("customer.untagged", "A tag was taken off", tag="its name")
NOTE_ADDED = register("customer.note_added", "A note was written", "note")
NOTE_REMOVED = register("customer.note_removed", "A note was removed", "note")
MERGED = register(
    "customer.merged",
    "Profiles turned out to be one person",
    kept="customer id that stays",
    gone="customer ids that went into it",
)
SPLIT = register(
    "customer.split",
    "Profiles turned out to be different persons",
    kept="customer id that stays",
    new="customer ids that left it",
)
RECORDED = register(
    "custom.recorded", "Something of the shop's own happened", name="what", properties="numbers, yes or no",
    declared="values that staff declared as not personal, by the declaration's number",
)  # fmt: skip
ERASED = register("customer.erased", "A person was erased; the log keeps bare numbers", tables="rows touched by table")


def created(profile_id: int, customer_id: int, occurred_at: datetime, store_id: int | None, is_history: bool) -> Entry:
    return Entry(CREATED, occurred_at, profile_id, customer_id, data={"store_id": store_id}, is_history=is_history)


def contact_changed(
    profile_id: int, customer_id: int, occurred_at: datetime, fields: Sequence[str], is_history: bool
) -> Entry:
    return Entry(
        CONTACT_CHANGED, occurred_at, profile_id, customer_id, data={"fields": sorted(fields)}, is_history=is_history
    )


def attribute_set(
    profile_id: int, customer_id: int, occurred_at: datetime, name: str, clear: object, is_history: bool
) -> Entry:
    return Entry(
        ATTRIBUTE_SET, occurred_at, profile_id, customer_id, data={"name": name, "clear": clear}, is_history=is_history
    )


def tag_changed(
    profile_id: int, customer_id: int, occurred_at: datetime, tag: str, is_on: bool, is_history: bool
) -> Entry:
    return Entry(
        TAGGED if is_on else UNTAGGED, occurred_at, profile_id, customer_id, data={"tag": tag}, is_history=is_history
    )


def note_added(profile_id: int, customer_id: int, occurred_at: datetime, note_id: int) -> Entry:
    return Entry(NOTE_ADDED, occurred_at, profile_id, customer_id, subject_id=note_id)


def note_removed(profile_id: int, customer_id: int, occurred_at: datetime, note_id: int) -> Entry:
    return Entry(NOTE_REMOVED, occurred_at, profile_id, customer_id, subject_id=note_id)


def merged(profile_id: int, kept: int, gone: Sequence[int], occurred_at: datetime) -> Entry:
    return Entry(MERGED, occurred_at, profile_id, kept, data={"kept": kept, "gone": sorted(gone)})


def split(profile_id: int, kept: int, new: Sequence[int], occurred_at: datetime) -> Entry:
    return Entry(SPLIT, occurred_at, profile_id, kept, data={"kept": kept, "new": sorted(new)})


def recorded(
    profile_id: int,
    customer_id: int,
    occurred_at: datetime,
    name: str,
    properties: dict[str, object],
    sealed: bytes | None,
    is_history: bool,
    *,
    declared: Mapping[str, object],
) -> Entry:
    return Entry(
        RECORDED,
        occurred_at,
        profile_id,
        customer_id,
        data={"name": name, "properties": properties} | ({"declared": dict(declared)} if declared else {}),
        sealed=sealed,
        is_history=is_history,
    )


def erased(profile_id: int, customer_id: int, occurred_at: datetime, tables: dict[str, int]) -> Entry:
    return Entry(ERASED, occurred_at, profile_id, customer_id, data={"tables": tables}, is_history=True)
