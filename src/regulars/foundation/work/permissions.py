"""Who may see long work."""

from regulars.foundation.access.rules import EVERYBODY, permit

permit("work.view", "See long work and its progress", *EVERYBODY)
