"""Who may bring files in."""

from regulars.foundation.access.rules import Role, permit

permit(
    "imports.view",
    "See imports and what they skipped",
    Role.MANAGER,
    Role.MARKETER,
    Role.OPERATIONS,
    Role.ANALYST,
    Role.READ_ONLY,
)
permit("imports.edit", "Import files, and undo an import", Role.MANAGER, Role.OPERATIONS)
