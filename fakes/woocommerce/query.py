"""A query string as PHP reads it: of a name given twice the last counts, and ``name[]`` makes a list."""

from urllib.parse import parse_qsl

Parameters = dict[str, str | list[str]]


def parse(query: str) -> Parameters:
    found: Parameters = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        base, bracket, _ = name.partition("[")
        if not bracket:
            found[base] = value
            continue
        listed = found.get(base)
        found[base] = [*listed, value] if isinstance(listed, list) else [value]
    return found


def numbered(query: str) -> dict[str, str]:
    """Every value by its full name, ``include[]`` twice as ``include[0]`` and ``include[1]``: what a signature is made of."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        full = name
        if name.endswith("[]"):
            full = f"{name[:-2]}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
        found[full] = value
    return found


def text(parameters: Parameters, name: str, default: str = "") -> str:
    value = parameters.get(name, default)
    return value if isinstance(value, str) else ",".join(value)


def words(parameters: Parameters, name: str) -> list[str]:
    """A list given as ``name[]=a&name[]=b`` or ``name=a,b``."""
    value = parameters.get(name, "")
    return value if isinstance(value, list) else [part.strip() for part in value.split(",") if part.strip()]
