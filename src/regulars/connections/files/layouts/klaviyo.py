"""Klaviyo's exports of profiles (a list or segment) and of suppressed profiles."""

from regulars.connections.files.layouts import customers
from regulars.connections.files.layouts.base import Kind, Layout, register
from regulars.connections.files.layouts.permissions import build_suppression

PROFILES = register(
    Layout(
        name="klaviyo-profiles",
        kind=Kind.CUSTOMERS,
        title="Klaviyo's export of profiles",
        columns={
            "email": "Email",
            "phone": "Phone Number|Phone",
            "first_name": "First Name",
            "last_name": "Last Name",
            "company": "Organization",
            "street": "Address",
            "street_2": "Address 2",
            "city": "City",
            "region": "State / Region|State/Region|Region",
            "country": "Country",
            "postal_code": "Zip Code|Zip",
            "language": "Locale",
            "seen_at": "Profile Created On|Created|Date Added",
            "accepts_email": "Email Marketing Consent|Email Marketing - Consent|Consent",
            "accepts_sms": "SMS Marketing Consent|SMS Marketing - Consent",
            "consented_at": "Email Marketing Consent Timestamp|Email Marketing - Consent Timestamp|Consent Timestamp",
            "proof": "Email Marketing Consent Method|Consent Method|Source",
            "klaviyo_id": "Klaviyo ID|Profile ID",
        },
        required=("email", "klaviyo_id"),
        build=customers.build,
        source="https://help.klaviyo.com/hc/en-us/articles/115005078647",
    )
)

SUPPRESSIONS = register(
    Layout(
        name="klaviyo-suppressions",
        kind=Kind.CONSENT,
        title="Klaviyo's export of suppressed profiles",
        columns={
            "email": "Email",
            "reason": "Suppression Reason|Reason|Email Suppressions",
            "occurred_at": "Suppression Timestamp|Timestamp|Suppressed At|Date",
        },
        required=("email", "reason"),
        build=build_suppression,
        source="https://help.klaviyo.com/hc/en-us/articles/115005246108",
    )
)
