"""Partitions of the inbox: one a day, made ahead; whole days are dropped, with their keys, when their time is over."""

from regulars.foundation.partitions import DAY, Partitioned

DAYS = Partitioned("inbox_item", "received_at", DAY, ahead=3)
FRAME_DAYS = Partitioned("inbox_frame", "received_at", DAY, ahead=3)
