"""Writes the pages that are made from the code: ``python docs/generate.py``. A test fails when one of them is behind the code."""

import os
import re
import sys
from argparse import Action
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.config.settings")
django.setup()

from regulars.config.api_v1 import build_api  # noqa: E402
from regulars.config.environment import VARIABLES  # noqa: E402
from regulars.foundation.doors import load_doors  # noqa: E402
from regulars.foundation.relations import RELATIONS, RelationKind  # noqa: E402
from regulars.foundation.shop.settings import KNOWN  # noqa: E402
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES  # noqa: E402
from regulars.record.events.kinds import EVENT_KINDS  # noqa: E402

DOCS = Path(__file__).parent
_HAND = "This page is made from the code by `python docs/generate.py`; change the code, not the page."
_DJANGOS_OWN = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color", "--skip-checks",
}  # fmt: skip


def settings_page() -> str:
    """Environment variables, and the settings that staff change in the browser."""
    parts = [
        "# Settings",
        _HAND,
        "## Environment",
        "Read once when a process starts. Nothing else in the product looks at the environment.",
        _table(
            ("variable", "default", "meaning"),
            ((f"`{v.name}`", _code(v.default), v.meaning) for v in VARIABLES.values()),
        ),
        "## In the browser",
        "Changed under *Settings* by staff who may; kept in the database.",
        _table(
            ("setting", "default", "choices", "meaning"),
            ((f"`{name}`", _code(k.default), ", ".join(map(str, k.choices)), k.meaning) for name, k in KNOWN.items()),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def events_page() -> str:
    """Every kind of event that a module registers."""
    load_doors("events")
    parts = [
        "# Events",
        _HAND,
        "Modules hear of each other through these only; each is appended in the transaction that it tells of.",
    ]
    modules: dict[str, list[str]] = {}
    for name, kind in EVENT_KINDS.items():
        about = f" About: {kind.subject}." if kind.subject else ""
        fields = "".join(f"\n- `{field}`: {meaning}" for field, meaning in kind.fields.items())
        modules.setdefault(name.partition(".")[0], []).append(
            f"### `{name}`\n\n{kind.meaning}.{about}" + (f"\n{fields}" if fields else "")
        )
    for module, entries in modules.items():
        parts += [f"## {module}", *entries]
    return "\n\n".join(parts) + "\n"


def tables_page() -> str:
    """Every table of the warehouse."""
    load_doors("warehouse")
    parts = ["# Tables of the warehouse", _HAND, "[The warehouse](warehouse.md) says how to read them."]
    for name, table in WAREHOUSE_TABLES.items():
        rows = ((f"`{column.name}`", column.type.value, column.meaning) for column in table.columns)
        parts += [f"## `{name}`", f"{table.meaning}. Key: `{table.key}`.", _table(("column", "type", "meaning"), rows)]
    return "\n\n".join(parts) + "\n"


def facts_page() -> str:
    """Every relation that conditions may ask."""
    load_doors("facts")
    parts = [
        "# Facts",
        _HAND,
        "What [conditions](conditions.md) may ask: relations of rows that speak of people, and their fields.",
    ]
    for name, relation in RELATIONS.items():
        said = [f"{relation.meaning.capitalize()}. Table: `{relation.table}`, by `{relation.at}`."]
        said += [f"A row counts until `{relation.until}`."] if relation.until else []
        said += [f"Only rows where `{relation.counts}`."] if relation.counts else []
        said += (
            [f"Of rows equal in {', '.join(f'`{c}`' for c in relation.latest_by)} the latest."]
            if relation.latest_by
            else []
        )
        said += ["Published for all at once."] if relation.kind is RelationKind.SNAPSHOT else []
        rows = ((f"`{field}`", one.type.value, one.meaning) for field, one in relation.fields.items())
        parts += [f"## `{name}`", " ".join(said), _table(("field", "type", "meaning"), rows)]
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Every command of ``regulars``."""
    parts = ["# Commands", _HAND, "`regulars` alone lists them; `regulars COMMAND --help` says the same as this page."]
    for name, command in _our_commands():
        parser = command.create_parser("regulars", name)
        parts += [f"## `regulars {name}`", " ".join(str(command.help).split())]
        rows = [row for action in parser._actions if (row := _option(action))]
        if rows:
            parts.append(_table(("option", "meaning"), rows))
    return "\n\n".join(parts) + "\n"


def routes_page() -> str:
    """Every route of the API."""
    parts = [
        "# API routes",
        _HAND,
        "[API](api.md) tells what all of them have in common. The same as OpenAPI: `/api/v1/openapi.json`.",
    ]
    sections: dict[str, list[str]] = {}
    for path, methods in build_api().get_openapi_schema(path_prefix="/api/v1/")["paths"].items():
        for method, route in methods.items():
            sections.setdefault(path.split("/")[3], []).append(_route(method, path, route))
    for section, routes in sorted(sections.items()):
        parts += [f"## {section}", *routes]
    return "\n\n".join(parts) + "\n"


def _route(method: str, path: str, route: dict[str, Any]) -> str:
    asked = ", ".join(f"`{p['name']}`" for p in route.get("parameters", []) if p["in"] == "query")
    parts = [
        f"### `{method.upper()} {path}`",
        f"{route['summary']}.",
        str(route.get("description", "")).replace("``", "`"),
    ]
    return "\n\n".join(part for part in (*parts, f"Filters: {asked}." if asked else "") if part)


def _our_commands() -> list[tuple[str, BaseCommand]]:
    ours = sorted((name, app) for name, app in get_commands().items() if str(app).startswith("regulars."))
    return [(name.replace("_", "-"), load_command_class(str(app), name)) for name, app in ours]


def _option(action: Action) -> tuple[str, str] | None:
    if set(action.option_strings) & _DJANGOS_OWN:
        return None
    name = ", ".join(action.option_strings) or (action.metavar if isinstance(action.metavar, str) else action.dest)
    choices = f" One of {', '.join(map(str, action.choices))}." if action.choices else ""
    return f"`{name}`", f"{action.help or ''}{choices}".strip()


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in cells) + " |"

    heads = list(head)
    return "\n".join([line(heads), line("---" for _ in heads), *map(line, rows)])


def _code(value: object) -> str:
    return f"`{value}`" if value not in (None, "") else ""


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "events.md": events_page,
    "commands.md": commands_page,
    "api-routes.md": routes_page,
    "warehouse-tables.md": tables_page,
    "facts.md": facts_page,
}


if __name__ == "__main__":
    for page, render in PAGES.items():
        (DOCS / page).write_text(render())
    sys.exit(0)
