"""Who may show others a view of a list."""

from regulars.foundation.access.rules import Role, permit

permit(
    "views.share",
    "Share views of lists with the team",
    Role.MANAGER,
    Role.MARKETER,
    Role.AGENT,
    Role.OPERATIONS,
    Role.ANALYST,
)
