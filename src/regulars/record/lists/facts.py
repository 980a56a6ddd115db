"""Lists as facts: who is on which, since when; and what conditions may ask of that."""

from collections.abc import Mapping, Sequence

from django.db.models import Q

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.lists import events
from regulars.record.lists.models import ListMember
from regulars.record.lists.queries import names_of_lists


def _member(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
    profiles = [p for some in profiles_of(customer_ids).values() for p in some]
    rows = ListMember.objects.filter(profile__in=profiles, list__key=question.argument("list"), added_at__lte=moment.at)
    ended = Q(removed_at__lte=moment.at)
    if moment.known_at is not None:
        rows = rows.filter(batch__last_position__lte=moment.known_at)
        ended &= Q(until_batch__last_position__lte=moment.known_at)
    found = list(rows.exclude(ended).order_by("-added_at", "-id"))
    owners = customers_of(row.profile_id for row in found)
    on = {owners[row.profile_id]: Answer(True, f"list member {row.pk}", row.added_at) for row in found}
    missing = Answer(False, "not on the list", moment.at)
    return {customer: on.get(customer, missing) for customer in customer_ids}


def _check(question: Question) -> str:
    key = question.argument("list")
    return "" if isinstance(key, str) and key else 'needs the key of a list, such as "list": "fair-in-may"'


FACTS.register(
    "list.member",
    Fact(
        "list.member",
        "Is on this list",
        FactKind.LOCAL,
        {"list": "key of the list, such as fair-in-may"},
        _member,
        _check,
    ),
)

_FIELDS = {"list": Field("list", FieldType.TEXT, "list", is_listed=True, names=names_of_lists)}
LISTS = register(
    Relation(
        name="lists",
        meaning="lists that the person is on",
        table="list_members",
        at="added_at",
        until="removed_at",
        fields=_FIELDS,
        rises_with=(events.JOINED, events.LEFT),
    )
)
ENTRIES = register(
    Relation(
        name="list_entries",
        meaning="times that the person was put on a list",
        table="list_members",
        at="added_at",
        fields=_FIELDS,
        rises_with=(events.JOINED,),
    )
)
EXITS = register(
    Relation(
        name="list_exits",
        meaning="times that the person was taken off a list",
        table="list_members",
        at="removed_at",
        fields=_FIELDS,
        rises_with=(events.LEFT,),
    )
)
