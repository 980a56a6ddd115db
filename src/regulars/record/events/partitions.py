"""Partitions of the log: one a month, made ahead; whole months are dropped when their time is over."""

from regulars.foundation.partitions import MONTH, Partitioned

MONTHS = Partitioned("events_event", "recorded_at", MONTH, ahead=3)
ensure_months = MONTHS.ensure  # by this name to the first migrations
