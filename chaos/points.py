"""Which part of a chaos strikes which named crash points; one that no part reaches is a failure, one that is no part's fails a test."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "regulars"
STRUCK = {  # part: the first words of its points
    "workflows": ("entries", "runs", "messages"),
    "intake": ("inbox",),
    "woocommerce": ("pull",),
    "shopify": ("pull",),
    "outage": (),
    "insight": ("warehouse", "segments"),
}


def declared() -> set[str]:
    """Every point that the code declares; read from its text, so that what nobody imports is found too."""
    texts = (path.read_text() for path in SOURCE.rglob("*.py") if "tests" not in path.parts)
    return {name for text in texts for name in re.findall(r'\bdeclare\(\s*"([^"]+)"', text)}


def points_of(part: str) -> list[str]:
    return sorted(name for name in declared() if name.split(".")[0] in STRUCK[part])
