"""What may be seen on the screens that join domains."""

from regulars.foundation.access.rules import EVERYBODY, permit

permit("home.view", "See the home page with the figures of the shop", *EVERYBODY)
