"""What files say of consent. Without proof (a time at which it was given) a 'yes' is 'unknown', which means no marketing; a 'no' is a no."""

from collections.abc import Iterator

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.values import Unreadable
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.customers.identifiers import canonical_email, canonical_phone

_YES = {
    "yes",
    "true",
    "1",
    "y",
    "subscribed",
    "granted",
    "opted in",
    "opt-in",
    "opted-in",
    "ja",
    "oui",
    "si",
    "sí",
    "double opt-in",
    "confirmed",
}
_NO = {
    "no",
    "false",
    "0",
    "n",
    "unsubscribed",
    "denied",
    "opted out",
    "opt-out",
    "opted-out",
    "nein",
    "non",
    "nee",
    "unsubscribe",
    "never subscribed",
}
_NEVER = {"never subscribed", "never_subscribed"}
_STOP = {
    "suppressed": "import",
    "cleaned": "hard bounce",
    "bounced": "hard bounce",
    "hard bounce": "hard bounce",
    "hard bounced": "hard bounce",
    "invalid email": "hard bounce",
    "complaint": "complaint",
    "marked as spam": "complaint",
    "spam complaint": "complaint",
    "spam": "complaint",
    "user suppressed": "do not contact",
    "manually suppressed": "do not contact",
    "do not contact": "do not contact",
}


def stated_consent(
    row: Row, reading: Reading, address: str, channel: Channel, name: str, source: str = "import"
) -> Iterator[ConsentInput]:
    """What one column says of one address; nothing where it is empty or says that nobody ever asked."""
    text = reading.columns.cell(row, name).casefold()
    since = reading.columns.cell(row, "consented_at")
    at = reading.values.moment(since) if since else reading.at
    if text in _YES:
        state = ConsentState.GRANTED if since else ConsentState.UNKNOWN
        proof = f"{source}: {reading.columns.cell(row, 'proof')[:200]} {since}".strip() if since else ""
        yield ConsentInput(address, state, at, "import", channel, proof=proof)
    elif text in _NO and text not in _NEVER:
        yield ConsentInput(address, ConsentState.DENIED, at, "import", channel)


def build(unit: Unit, reading: Reading) -> Built:
    """One statement about one address: consent given or refused, or an address that must not be written to."""
    built = Built()
    row = unit.rows[0]
    address, channel = find_address(row, reading)
    text = reading.columns.cell(row, "state").casefold() or reading.columns.cell(row, "reason").casefold()
    since = reading.columns.cell(row, "occurred_at")
    at = reading.values.moment(since) if since else reading.at
    method = reading.columns.cell(row, "method")[:30] or "import"
    if text in _STOP:
        built.suppressions.append(SuppressionInput(address, _STOP[text], at, channel))
    elif text in _NO:
        built.consents.append(ConsentInput(address, ConsentState.DENIED, at, method, channel))
    elif text in _YES:
        state = ConsentState.GRANTED if since else ConsentState.UNKNOWN
        built.consents.append(
            ConsentInput(address, state, at, method, channel, proof=f"import: {since}" if since else "")
        )
        if not since:
            built.alter(
                row, "the file does not say when consent was given: kept as 'unknown', which means no marketing"
            )
    else:
        raise Unreadable(f"'{text[:30]}' says neither yes nor no")
    return built


def build_suppression(unit: Unit, reading: Reading) -> Built:
    """An address that must not be written to, whatever the reason."""
    row = unit.rows[0]
    address, channel = find_address(row, reading)
    since, reason = reading.columns.cell(row, "occurred_at"), reading.columns.cell(row, "reason").casefold()
    at = reading.values.moment(since) if since else reading.at
    if "unsub" in reason:
        return Built(consents=[ConsentInput(address, ConsentState.DENIED, at, "import", channel)])
    return Built(suppressions=[SuppressionInput(address, _STOP.get(reason, "import"), at, channel)])


def find_address(row: Row, reading: Reading) -> tuple[str, Channel]:
    """The mail address, else the phone number with its country code. Raises Unreadable."""
    said = reading.columns.cell(row, "email")
    if email := canonical_email(said):
        return email, Channel.EMAIL
    if phone := canonical_phone(reading.columns.cell(row, "phone")):
        return phone, Channel.SMS
    raise Unreadable(
        "there is no mail address that can be written to"
        if not said
        else f"'{said[:40]}' is not a mail address that can be written to"
    )


CONSENT = register(Layout("any-consent", Kind.CONSENT, "Any table of consent", {}, ("state",), build))
SUPPRESSIONS = register(
    Layout(
        "suppressions",
        Kind.CONSENT,
        "A list of addresses that must not be written to",
        {
            "email": "Email|Email Address|E-Mail|Mail|Address",
            "phone": "Phone",
            "reason": "Reason",
            "occurred_at": "Date|Timestamp",
        },
        ("email",),
        build_suppression,
        is_guessed=False,
    )
)
