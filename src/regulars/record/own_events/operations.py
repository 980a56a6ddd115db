"""What staff decide about properties of the shop's own events."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import Conflict, InvalidInput, NotAllowed, NotFound
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.rules import PropertyType, field_name
from regulars.record.own_events.uses import uses_of

MOST = 50  # that stand: each is a column of the warehouse
_LONGEST = 200


class StillUsed(Conflict):
    """A condition asks for this property: change that first."""

    code = "still-used"


def declare(
    event: str, name: str, type_: str, actor: Viewer, at: datetime, *, is_not_personal: bool
) -> DeclaredProperty:
    """From now on values of this type stand in clear; those of before follow in the background. Raises InvalidInput, Conflict, NotAllowed."""
    _check_reach(actor)
    if not is_not_personal:
        raise InvalidInput(
            gettext("Say that it tells nothing personal: its values stand in clear from then on."), field="plain"
        )
    if not all(0 < len(said) <= _LONGEST and said.isprintable() for said in (event, name)):
        raise InvalidInput(
            gettext("Name the event and the property as they are told, with at most 200 letters each."), field="name"
        )
    if type_ not in set(PropertyType):
        raise InvalidInput(gettext("Choose of which type its values are."), field="type")
    if DeclaredProperty.objects.filter(withdrawn_at=None).count() >= MOST:
        raise InvalidInput(gettext("At most %s properties can be declared: withdraw one that nobody needs.") % MOST)
    try:
        with transaction.atomic():
            taken = set(DeclaredProperty.objects.values_list("field", flat=True))
            made = DeclaredProperty.objects.create(
                event=event,
                name=name,
                type=type_,
                field=field_name(event, name, taken),
                declared_at=at,
                staff_id=actor.staff_id,
            )
            record("event-property.declared", actor, made.field, at=at)
    except IntegrityError as error:
        raise Conflict(gettext("Somebody has declared it already.")) from error
    return made


def withdraw(declared_id: int, actor: Viewer, at: datetime) -> DeclaredProperty:
    """It is offered and recorded no more; what stands in clear goes in the background, and stays sealed with its events.

    Raises NotFound, NotAllowed, StillUsed.
    """
    _check_reach(actor)
    with transaction.atomic():
        row = DeclaredProperty.objects.select_for_update().filter(pk=declared_id, withdrawn_at=None).first()
        if row is None:
            raise NotFound(gettext("It is not declared."))
        if users := [f"{use.what} '{use.name}'" for use in uses_of(row.field)]:
            raise StillUsed(gettext("Conditions ask for it: %s. Change them first.") % ", ".join(users))
        row.withdrawn_at, row.position, row.upto, row.transactions = at, 0, None, None
        row.save(update_fields=["withdrawn_at", "position", "upto", "transactions"])
        record("event-property.withdrawn", actor, row.field, at=at)
    return row


def _check_reach(actor: Viewer) -> None:
    """Events of all stores have the same properties, so nobody decides for others' stores."""
    if actor.store_ids is not None:
        raise NotAllowed(gettext("It concerns all stores: somebody who sees all of them can decide it."))
