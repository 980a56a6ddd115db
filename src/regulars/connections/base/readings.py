"""Where something in the inbox came from: why, of which topic, and of which pull, in one line that is kept with it."""

from dataclasses import dataclass

from regulars.connections.base.platforms import Why

KIND = "shop"  # of the inbox: one parser for every platform
PATH = ":path"  # no real header can begin so


@dataclass(frozen=True)
class Place:
    """``pull_id`` is None for a webhook, and for a thing that was split off a page."""

    why: Why
    topic: str
    pull_id: int | None = None


def path_of(why: Why, topic: str, pull_id: int | None = None) -> str:
    return f"{why} {topic} {pull_id or ''}".strip()


def place_of(path: str) -> Place:
    why, topic, *rest = path.split(" ")
    return Place(Why(why), topic, int(rest[0]) if rest else None)
