"""May this be sent? A pure decision over the fold of the ledgers, with its reason."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Standing:
    """What the ledgers say of one address at a moment; ``consent`` is '' where nobody ever said anything."""

    consent: str
    consent_at: datetime | None
    consent_method: str
    suppression: str  # reason of the suppression that is on, '' for none
    suppressed_at: datetime | None
    is_left_alone: bool
    is_only_claimed: bool = False  # nobody but a browser says that the address is this customer's


@dataclass(frozen=True)
class Verdict:
    """``may`` and the reason, as a code and as a sentence for staff."""

    may: bool
    code: str
    sentence: str


def may_send(standing: Standing, *, is_marketing: bool) -> Verdict:
    """Suppression, 'leave alone' and an address that is only claimed stop everything; marketing needs a yes, and silence or an
    unproved import is none."""
    if stop := _stop(standing):
        return stop
    if not is_marketing:
        return Verdict(True, "transactional", "A message about an order needs no consent")
    if standing.consent == "granted":
        return Verdict(True, "consent", f"Said yes by {standing.consent_method}")
    if standing.consent == "denied":
        return Verdict(False, "denied", f"Said no by {standing.consent_method}")
    return Verdict(False, "no-consent", "Never said yes to marketing")


def _stop(standing: Standing) -> Verdict | None:
    """What stands against every message, one about an order too."""
    if standing.is_left_alone:
        return Verdict(False, "do-not-contact", "Staff decided to leave this person alone")
    if standing.is_only_claimed:
        return Verdict(False, "claimed", "Nobody but a browser says that this address is theirs")
    if standing.suppression:
        return Verdict(False, "suppressed", f"The address is suppressed: {standing.suppression}")
    return None
