"""Which layout a file has, and where its fields stand. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from regulars.connections.files.errors import NoSuchColumn, NotATable, Unmapped, WrongKind
from regulars.connections.files.fields import FIELDS, guess_mapping
from regulars.connections.files.layouts import LAYOUTS, Kind, Layout
from regulars.connections.files.sniff import folded
from regulars.record.customers.identifiers import OWN_KIND


def recognise(headers: Sequence[str], kind: Kind, name: str, mapping: Mapping[str, str]) -> Layout:
    """The layout to read the file with, its columns as they are in this file.

    A named layout, else the known one with the most columns here, else any table by its mapping (guessed where not given).
    Raises WrongKind for another kind of file, NoSuchColumn for a mapping to a header that is not there, and NotATable where two
    columns have the name of one that is needed.
    """
    _check_mapping(headers, kind, mapping)
    layout = LAYOUTS[name] if name else _known(headers, kind) or LAYOUTS[f"any-{kind}"]
    if layout.name.startswith("any-"):
        layout = replace(layout, columns=_with_key(dict(mapping) or guess_mapping(headers, kind), kind))
    else:
        layout = replace(layout, columns={**layout.columns, **mapping})
    _check_unambiguous(headers, layout)
    return layout


def find_missing(headers: Sequence[str], layout: Layout) -> Unmapped | None:
    """What to say where a field that the layout needs has no column."""
    places = layout.places(headers)
    missing = [name for name in layout.required if name not in places]
    if not missing:
        return None
    labels = ", ".join(_label(layout, name) for name in missing)
    return Unmapped(
        f"No column of this file holds the {labels}; {layout.kind} need that. Its columns are {', '.join(filter(None, headers[:20]))}: "
        "say which one it is in the mapping, or check that it is the right file"
    )


def _known(headers: Sequence[str], kind: Kind) -> Layout | None:
    matching = [
        layout for _, layout in LAYOUTS.items() if layout.is_guessed and layout.columns and layout.matches(headers)
    ]
    best = max(matching, key=lambda layout: len(layout.places(headers)), default=None)
    if best is None or best.kind == kind:
        return best
    own = [layout for layout in matching if layout.kind == kind]
    if own:
        return max(own, key=lambda layout: len(layout.places(headers)))
    raise WrongKind(f"This is an export of {best.kind} ({best.title}), not of {kind}: import it as {best.kind}")


def _with_key(mapping: dict[str, str], kind: Kind) -> dict[str, str]:
    """A table of products that knows them by their SKU only is keyed by it."""
    if kind == Kind.PRODUCTS and "key" not in mapping and "sku" in mapping:
        return {"key": mapping["sku"], **mapping}
    return mapping


def _label(layout: Layout, name: str) -> str:
    known = FIELDS[layout.kind].get(name)
    return known.label.lower() if known else f"'{layout.columns.get(name, name).split('|')[0]}'"


def _check_mapping(headers: Sequence[str], kind: Kind, mapping: Mapping[str, str]) -> None:
    there = {folded(header) for header in headers}
    for name, header in mapping.items():
        if name not in FIELDS[kind] and not (kind == Kind.LIST and name.startswith(OWN_KIND)):
            raise NoSuchColumn(f"'{name}' is not a field of {kind}: the fields are {', '.join(FIELDS[kind])}")
        if folded(header) not in there:
            raise NoSuchColumn(f"The file has no column '{header}': its columns are {', '.join(headers[:40])}")


def _check_unambiguous(headers: Sequence[str], layout: Layout) -> None:
    places = layout.places(headers).values()
    names = Counter(folded(header) for header in headers)
    twice = [headers[place] for place in places if names[folded(headers[place])] > 1]
    if twice:
        raise NotATable(f"The file has the column '{twice[0]}' more than once: rename or remove all but one of them")
