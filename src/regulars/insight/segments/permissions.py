"""Who may see and change segments."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("segments.view", "See segments, scores and their members", *EVERYBODY, is_of_all_stores=True)
permit("segments.edit", "Change segments and the thresholds of RFM", Role.MANAGER, Role.MARKETER, is_of_all_stores=True)
permit(
    "segments.export",
    "Take the members of a segment out of the house",
    Role.MANAGER,
    Role.MARKETER,
    is_of_all_stores=True,
)
offer_scope("segments:read", "List and read segments", "segments.view")
offer_scope("segments:write", "Make, change and archive segments", "segments.edit")
