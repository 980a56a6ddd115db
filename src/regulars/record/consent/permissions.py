"""Who may see and record consent."""

from regulars.foundation.access.rules import EVERYBODY, Role, permit

permit("consent.view", "See what people agreed to", *EVERYBODY)
permit("consent.edit", "Record consent and its withdrawal, suppress addresses", Role.MANAGER, Role.MARKETER, Role.AGENT)
