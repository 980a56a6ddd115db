"""Who may see the log."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("events.view", "See what happened", *EVERYBODY)
permit("events.edit", "Record events", Role.MANAGER, Role.OPERATIONS)
permit("events.replay", "See events that a reader put aside, and replay them", Role.MANAGER, Role.OPERATIONS)
offer_scope("events:read", "List and read events", "events.view")
offer_scope("events:write", "Record events", "events.edit")
