"""May this message leave now? Pure, with the reason in a code and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from regulars.record.consent.rules import Verdict

DAY, WEEK = timedelta(days=1), timedelta(days=7)
WORKFLOW_OFF = "workflow-off"  # held until that is on again, whatever else is
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Fate(StrEnum):
    """What happens to a message that is due."""

    SEND = "send"
    SKIP = "skip"
    HOLD = "hold"
    DEFER = "defer"


@dataclass(frozen=True)
class Decision:
    """``until`` is set for DEFER only."""

    fate: Fate
    code: str
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True)
class Switch:
    """The global switch: the environment's, the staff's (since when), how long to cool off, and whom it lets through."""

    is_on: bool
    enabled_at: datetime | None
    cool_off: timedelta
    recipients: tuple[str, ...]
    is_demo: bool
    mail_host: str

    def refusal(self, at: datetime) -> Decision | None:
        """Why nothing at all may leave at the moment; None when it may."""
        if not self.is_on:
            return Decision(
                Fate.HOLD, "sending-off", "Sending is switched off for this installation (REGULARS_SENDING)"
            )
        if self.enabled_at is None:
            return Decision(Fate.HOLD, "sending-off", "Sending was never switched on in the settings")
        if at < self.enabled_at + self.cool_off:
            until = self.enabled_at + self.cool_off
            return Decision(
                Fate.HOLD,
                "cool-off",
                f"Sending was switched on lately; the first message leaves at {until:%Y-%m-%d %H:%M} UTC",
            )
        if self.is_demo and self.mail_host not in LOOPBACK:
            return Decision(Fate.HOLD, "demo", "The demo's mail can go nowhere but to the catcher on this machine")
        return None

    def lets_through(self, address: str) -> bool:
        """Whether the allowlist permits this address; in the demo only addresses that cannot exist (RFC 2606)."""
        wanted = address.lower()
        if self.is_demo and not wanted.endswith(".example"):
            return False
        return not self.recipients or any(fnmatchcase(wanted, pattern.lower()) for pattern in self.recipients)


@dataclass(frozen=True)
class Caps:
    """How many marketing messages one person gets, counted over all workflows; 0 is no limit."""

    per_day: int
    per_week: int


@dataclass(frozen=True)
class Candidate:
    """One message as the decision sees it. ``recent`` are the times of the marketing messages that this person got in the last week.

    ``off`` names the workflow that planned it, if that is switched off.
    """

    address: str
    is_marketing: bool
    expires_at: datetime
    verdict: Verdict
    recent: Sequence[datetime] = ()
    off: str = ""


def decide(candidate: Candidate, switch: Switch, caps: Caps, at: datetime) -> Decision:
    """What stops it for good comes first, then what holds it back, then what delays it."""
    refusal = _stopped(candidate, at) or switch.refusal(at) or _switched_off(candidate)
    if refusal:
        return refusal
    if not switch.lets_through(candidate.address):
        return Decision(Fate.SKIP, "not-allowed", "The address is not on the list of permitted recipients")
    if candidate.is_marketing and (free_at := next_free(candidate.recent, caps, at)):
        return _capped(candidate, free_at, caps)
    return Decision(Fate.SEND, candidate.verdict.code, candidate.verdict.sentence)


def _stopped(candidate: Candidate, at: datetime) -> Decision | None:
    if at >= candidate.expires_at:
        return Decision(Fate.SKIP, "expired", "It could not be sent while it was still of use")
    if not candidate.address:
        return Decision(Fate.SKIP, "no-address", "No mail address is known")
    if not candidate.verdict.may:
        return Decision(Fate.SKIP, candidate.verdict.code, candidate.verdict.sentence)
    return None


def _switched_off(candidate: Candidate) -> Decision | None:
    if not candidate.off:
        return None
    return Decision(Fate.HOLD, WORKFLOW_OFF, f"Its workflow '{candidate.off}' is switched off")


def _capped(candidate: Candidate, free_at: datetime, caps: Caps) -> Decision:
    limit = f"at most {caps.per_day} marketing messages a day and {caps.per_week} a week"
    if free_at >= candidate.expires_at:
        return Decision(Fate.SKIP, "cap", f"This person got enough lately: {limit}")
    return Decision(Fate.DEFER, "cap", f"Later, because this person gets {limit}", free_at)


def next_free(recent: Sequence[datetime], caps: Caps, at: datetime) -> datetime | None:
    """When the caps let another one through; None: now. A window of a day or week ends behind each message."""
    free = at
    for limit, window in ((caps.per_day, DAY), (caps.per_week, WEEK)):
        inside = sorted(moment for moment in recent if moment > at - window)
        if limit and len(inside) >= limit:
            free = max(free, inside[-limit] + window)
    return free if free > at else None


def back_off(attempts: int) -> timedelta:
    """Pause before the next attempt to reach a mail server: a minute, then four times as long each time, six hours at most."""
    return min(timedelta(minutes=1) * pow(4.0, min(max(attempts - 1, 0), 5)), timedelta(hours=6))
