"""The modules of the house, lowest floor first. Adding a module touches this list and nothing else."""

MODULES: list[str] = [
    "regulars.foundation.shop",
    "regulars.foundation.vault",
    "regulars.foundation.audit",
    "regulars.foundation.access",
    "regulars.foundation.pages",
    "regulars.foundation.work",
    "regulars.foundation.health",
    "regulars.record.events",
    "regulars.record.customers",
    "regulars.record.consent",
    "regulars.record.catalog",
    "regulars.record.orders",
    "regulars.record.carts",
    "regulars.insight.warehouse",
    "regulars.insight.rfm",
    "regulars.insight.segments",
    "regulars.workflows",
    "regulars.messages",
    "regulars.connections.files",
    "regulars.web",
]
