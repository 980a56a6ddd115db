"""What the ledgers of consent and suppression say."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q

from regulars.record.consent.models import Channel, ConsentEntry, ConsentState, DoNotContact, SuppressionEntry
from regulars.record.consent.rules import Standing, Verdict, may_send
from regulars.record.customers.queries import only_claimed

NOTHING_SAID = Standing("", None, "", "", None, False)


@dataclass(frozen=True)
class Addressee:
    """One address of one customer: the blind index of the address, and the customer's present profiles."""

    address: bytes
    profile_ids: tuple[int, ...]


def standings(
    addressees: Collection[Addressee], brand_id: int, channel: Channel, topic: str
) -> dict[Addressee, Standing]:
    """Fold of the ledgers for each addressee; set-wise, four queries."""
    addresses = {a.address for a in addressees}
    said = _consents(addresses, brand_id, channel, topic)
    stopped = _suppressions(addresses, channel)
    alone = left_alone({p for a in addressees for p in a.profile_ids})
    claimed = only_claimed([(a.address, p) for a in addressees for p in a.profile_ids])
    found = {}
    for a in addressees:
        consent, stop = said.get(a.address), stopped.get(a.address)
        found[a] = Standing(
            consent=consent.state if consent else "",
            consent_at=consent.occurred_at if consent else None,
            consent_method=consent.method if consent else "",
            suppression=stop.reason if stop else "",
            suppressed_at=stop.occurred_at if stop else None,
            is_left_alone=bool(alone & set(a.profile_ids)),
            is_only_claimed=_is_only_claimed([claimed.get((a.address, p)) for p in a.profile_ids]),
        )
    return found


def _is_only_claimed(said: Collection[bool | None]) -> bool:
    """By what is known of an address at each profile: one that confirms it is enough, and one where nobody says anything is nothing."""
    return True in said and False not in said


def list_verdicts(
    addressees: Collection[Addressee], brand_id: int, channel: Channel, topic: str, *, is_marketing: bool
) -> dict[Addressee, Verdict]:
    """Whether each may be written to now, and why."""
    return {
        a: may_send(s, is_marketing=is_marketing) for a, s in standings(addressees, brand_id, channel, topic).items()
    }


def _consents(addresses: Iterable[bytes], brand_id: int, channel: Channel, topic: str) -> dict[bytes, ConsentEntry]:
    rows = (
        ConsentEntry.objects.filter(address__in=list(addresses), brand=brand_id, channel=channel, topic=topic)
        .annotate(says_nothing=Q(state=ConsentState.UNKNOWN))  # an unproved import never outweighs a word that was said
        .order_by("address", "says_nothing", "-occurred_at", "-id")
        .distinct("address")
    )
    return {bytes(row.address): row for row in rows}


def _suppressions(addresses: Iterable[bytes], channel: Channel) -> dict[bytes, SuppressionEntry]:
    """Per address the newest entry, where it is on."""
    rows = (
        SuppressionEntry.objects.filter(address__in=list(addresses), channel=channel)
        .order_by("address", "-id")
        .distinct("address")
    )
    return {bytes(row.address): row for row in rows if row.is_on}


def left_alone(profile_ids: Iterable[int]) -> set[int]:
    """Those of these profiles that staff decided to leave alone."""
    rows = (
        DoNotContact.objects.filter(profile_id__in=set(profile_ids))
        .order_by("profile_id", "-id")
        .distinct("profile_id")
    )
    return {row.profile_id for row in rows if row.is_on}


def is_left_alone(profile_ids: Iterable[int]) -> bool:
    return bool(left_alone(profile_ids))


def list_history(addresses: Collection[bytes]) -> list[ConsentEntry]:
    """Everything that was ever said about these addresses, newest first."""
    return list(
        ConsentEntry.objects.filter(address__in=list(addresses)).select_related("brand").order_by("-occurred_at", "-id")
    )
