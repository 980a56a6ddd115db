"""What can be done to segments."""

from regulars.insight.segments.operations.rfm import (
    BEFORE_COMPUTED,
    BETWEEN_CHUNKS,
    CHUNK,
    NAMES,
    OlderSnapshot,
    Refreshed,
    apply_snapshot,
    basis_of,
    change_thresholds,
    ensure_rfm_segments,
    find_due,
    follow_map,
    recompute,
    refresh,
    refresh_if_due,
)

__all__ = [
    "BEFORE_COMPUTED",
    "BETWEEN_CHUNKS",
    "CHUNK",
    "NAMES",
    "OlderSnapshot",
    "Refreshed",
    "apply_snapshot",
    "basis_of",
    "change_thresholds",
    "ensure_rfm_segments",
    "find_due",
    "follow_map",
    "recompute",
    "refresh",
    "refresh_if_due",
]
