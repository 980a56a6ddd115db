"""Kinds of identifiers that the shop names itself, such as the number of a loyalty card."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from regulars.foundation.audit.operations import Actor, record
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.settings import write_setting
from regulars.record.customers.identifiers import OWN_KIND, canonical_email, canonical_phone
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind, OwnKind

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


class UnknownKind(InvalidInput):
    """Nobody has named this kind of identifier yet: do so under Settings, Identifiers."""

    code = "unknown-kind"
    status = 422


def name_kind(name: str, label: str, by: Actor, at: datetime) -> OwnKind:
    """From now on people can be known by it, in every store. Audited. Raises InvalidInput for a name that is none, or taken."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "A name has 2 to 40 small letters, digits and underscores, such as loyalty_card", field="name"
        )
    if not label.strip() or len(label) > 80:
        raise InvalidInput("Say what it is called, in at most 80 characters", field="label")
    with transaction.atomic():
        kind, is_new = OwnKind.objects.get_or_create(name=name, defaults={"label": label.strip(), "created_at": at})
        if not is_new:
            raise InvalidInput("There is an identifier of this name already", field="name")
        record("customers.identifier_named", by, name, at=at)
    return kind


def own_kinds() -> list[tuple[str, str]]:
    """Name and label of each."""
    return list(OwnKind.objects.order_by("name").values_list("name", "label"))


def own_identities(values: Mapping[str, str]) -> list[IdentityInput]:
    """Identities of the shop's own kinds, by their names. Raises UnknownKind."""
    known = set(OwnKind.objects.filter(name__in=values).values_list("name", flat=True)) if values else set()
    if unknown := sorted(values.keys() - known):
        raise UnknownKind(
            f"Nobody has named the identifier '{unknown[0][:40]}' yet: do so under Settings, Identifiers."
        )
    return [
        IdentityInput(IdentityKind.OTHER, value, f"{OWN_KIND}{name}") for name, value in sorted(values.items()) if value
    ]


def change_guards(most_profiles: str, no_identifiers: str, by: Actor, at: datetime) -> None:
    """What staff wrote: how many records of one store a person may have, and addresses and numbers that tell nobody apart, one a
    line. It holds for what is looked at from then on. Audited. Raises InvalidInput, and then nothing was changed.
    """
    is_number = most_profiles.isascii() and most_profiles.isdigit() and len(most_profiles) <= 3
    if not is_number or not 2 <= int(most_profiles) <= 100:
        raise InvalidInput("A person may have 2 to 100 records in one store", field="most_profiles")
    lines = list(dict.fromkeys(line.strip() for line in no_identifiers.splitlines() if line.strip()))
    if len(lines) > 500:
        raise InvalidInput("At most 500 addresses and numbers can be listed", field="no_identifiers")
    for line in lines:
        if not (canonical_email(line) if "@" in line else canonical_phone(line)):
            raise InvalidInput(
                f"'{line[:60]}' is neither a mail address nor a phone number with its country code",
                field="no_identifiers",
            )
    with transaction.atomic():
        write_setting("customers.most_profiles", int(most_profiles), at)
        write_setting("customers.no_identifiers", lines, at)
        record("customers.guards_changed", by, "", {"most": int(most_profiles), "listed": len(lines)}, at=at)
