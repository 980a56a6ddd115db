"""Who may see the log."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("events.view", "See what happened", *EVERYBODY)
permit("events.edit", "Record events, and replay those that a reader put aside", Role.MANAGER, Role.OPERATIONS)
offer_scope("events:read", "List and read events", "events.view")
offer_scope("events:write", "Record events", "events.edit")
