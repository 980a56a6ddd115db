"""How consent is exported and erased. Addresses are suppressed for good, as keyed hashes, so that no later file mails
them again.
"""

from datetime import datetime
from typing import Any

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.record.consent.models import Channel, ConsentEntry, DoNotContact, SuppressionEntry
from regulars.record.customers.models import IdentityKind, IdentityLink
from regulars.record.events.log import transaction

CHANNELS = {IdentityKind.EMAIL: Channel.EMAIL, IdentityKind.PHONE: Channel.SMS}
REASON = "erased"


def _addresses(profile_ids: list[int]) -> set[tuple[bytes, str]]:
    rows = IdentityLink.objects.filter(profile__in=profile_ids, identity__kind__in=list(CHANNELS)).values_list(
        "identity__token", "identity__kind"
    )
    return {(bytes(token), CHANNELS[IdentityKind(kind)].value) for token, kind in rows}


def _tokens(profile_ids: list[int]) -> list[bytes]:
    return [token for token, _ in _addresses(profile_ids)]


def _export_consent(profile_ids: list[int]) -> list[dict[str, Any]]:
    own = ConsentEntry.objects.filter(profile_id__in=profile_ids)
    of_address = ConsentEntry.objects.filter(profile_id=None, address__in=_tokens(profile_ids))
    return exported(own.order_by("pk")) + exported(of_address.order_by("pk"))


def _erase_consent(profile_ids: list[int], at: datetime) -> int:
    """The ledger stays as proof of what was allowed when; who said it cannot be read any more."""
    return ConsentEntry.objects.filter(profile_id__in=profile_ids).update(proof=None)


def _export_suppressions(profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(SuppressionEntry.objects.filter(address__in=_tokens(profile_ids)).order_by("pk"), "pk")


def _erase_suppressions(profile_ids: list[int], at: datetime) -> int:
    """Adds instead of taking away: the person must not be written to because we forgot that they asked to be
    forgotten.
    """
    latest = SuppressionEntry.objects.filter(address__in=_tokens(profile_ids)).order_by("address", "channel", "-id")
    known = {(bytes(row.address), row.channel) for row in latest.distinct("address", "channel") if row.is_on}
    with transaction("system", REASON) as log:
        rows = [
            SuppressionEntry(
                address=token, channel=channel, is_on=True, reason=REASON, occurred_at=at, batch_id=log.batch_id
            )
            for token, channel in sorted(_addresses(profile_ids) - known)
        ]
        return len(SuppressionEntry.objects.bulk_create(rows))


register(
    SubjectData(
        "consent_consententry",
        _export_consent,
        _erase_consent,
        "keyed hashes of addresses and what was said: our proof",
    )
)
register(
    SubjectData(
        "consent_suppressionentry",
        _export_suppressions,
        _erase_suppressions,
        "keyed hashes of addresses that nothing may be sent to",
    )
)
register(
    SubjectData(
        "consent_donotcontact",
        lambda ids: exported(DoNotContact.objects.filter(profile_id__in=ids).order_by("pk")),
        keep,
        "that a number is to be left alone",
    )
)
