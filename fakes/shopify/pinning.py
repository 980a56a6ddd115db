"""Renews `schema.graphql`: the part of Shopify's published Admin schema that a CRM asks for, cut out of an introspection file.

`python -m fakes.shopify.pinning admin_2026-10.json` with the file that the npm package `@shopify/dev-mcp` (ISC licence) carries under
`dist/data/`: the introspection of one API version, and beside it the access scopes that each type and field asks for.
"""

import json
import re
import sys
from pathlib import Path
from textwrap import fill
from typing import Any

from fakes.shopify.kept import KEPT

HERE = Path(__file__).parent
MADE = {"Connection": ("edges", "nodes", "pageInfo"), "Edge": ("cursor", "node")}
GIVEN_SCALARS = {"String", "Int", "Float", "Boolean", "ID"}

Type = dict[str, Any]


class Pin:
    """One cut: which types and fields stay, and in which words they are written."""

    def __init__(self, published: dict[str, Any]) -> None:
        self.types: dict[str, Type] = {one["name"]: one for one in published["data"]["__schema"]["types"]}
        self.access = {
            (one["typeName"], one.get("fieldName")): one["offlineScopes"]
            for one in published["offline_scopes"]["items"]
        }
        self.kept = {name: set(fields.split()) for name, fields in KEPT.items()}
        for name in list(self.kept):
            self._keep_pages_of(name)
        self.inputs: set[str] = set()

    def _keep_pages_of(self, name: str) -> None:
        for ending, fields in MADE.items():
            if f"{name}{ending}" in self.types:
                self.kept[f"{name}{ending}"] = set(fields)

    def text(self) -> str:
        self._check()
        written = [self._object(name) for name in sorted(self.kept)]
        while waiting := sorted(self.inputs - self.kept.keys() - GIVEN_SCALARS):
            self.kept.update((name, set()) for name in waiting)
            written += [self._leaf(name) for name in waiting]
        return "\n\n".join(sorted(written, key=_order)) + "\n"

    def _check(self) -> None:
        """A name in `kept.py` that the schema does not know is a mistake of ours, and is said so."""
        for name, fields in self.kept.items():
            known = {field["name"] for field in self.types[name].get("fields") or []}
            if unknown := fields - known - {"*"}:
                raise SystemExit(f"{name} has no {', '.join(sorted(unknown))}")

    def _object(self, name: str) -> str:
        one = self.types[name]
        if one["kind"] == "UNION":
            return f"union {name} = " + " | ".join(p["name"] for p in one["possibleTypes"] if p["name"] in self.kept)
        word = "interface" if one["kind"] == "INTERFACE" else "type"
        over = [i["name"] for i in one.get("interfaces") or [] if i["name"] in self.kept]
        head = f"{word} {name}" + (f" implements {' & '.join(over)}" if over else "") + self._scopes(name, None)
        fields = [self._field(name, field) for field in one["fields"] if self._stays(name, field)]
        return head + " {\n" + "\n".join(f"  {field}" for field in fields) + "\n}"

    def _stays(self, name: str, field: Type) -> bool:
        chosen = self.kept[name]
        if field["name"] not in chosen and "*" not in chosen:
            return False
        inner = _inner(field["type"])
        is_leaf = self.types[inner]["kind"] in ("SCALAR", "ENUM")
        if not is_leaf and inner not in self.kept:
            if "*" in chosen:
                return False
            raise SystemExit(f"{name}.{field['name']} gives {inner}, which is not kept")
        if is_leaf:
            self.inputs.add(inner)
        return True

    def _field(self, name: str, field: Type) -> str:
        arguments = ", ".join(self._argument(argument) for argument in field["args"])
        text = str(field["name"]) + (f"({arguments})" if arguments else "") + f": {_spelt(field['type'])}"
        return text + self._scopes(name, field["name"]) + _filters(field) + _deprecated(field)

    def _argument(self, argument: Type) -> str:
        self.inputs.add(_inner(argument["type"]))
        default = argument.get("defaultValue")
        return f"{argument['name']}: {_spelt(argument['type'])}" + (f" = {default}" if default is not None else "")

    def _scopes(self, name: str, field: str | None) -> str:
        scopes = self.access.get((name, field)) or []
        return f" @access(anyOf: {json.dumps(scopes)})" if scopes else ""

    def _leaf(self, name: str) -> str:
        one = self.types[name]
        if one["kind"] == "SCALAR":
            return f"scalar {name}"
        if one["kind"] == "ENUM":
            values = " ".join(value["name"] for value in one["enumValues"])
            return f"enum {name} {{\n" + fill(values, 118, initial_indent="  ", subsequent_indent="  ") + "\n}"
        fields = "\n".join(f"  {self._argument(field)}" for field in one["inputFields"])
        return f"input {name} {{\n{fields}\n}}"


def _inner(of: Type) -> str:
    return _inner(of["ofType"]) if of.get("ofType") else str(of["name"])


def _spelt(of: Type) -> str:
    if of["kind"] == "NON_NULL":
        return _spelt(of["ofType"]) + "!"
    return f"[{_spelt(of['ofType'])}]" if of["kind"] == "LIST" else str(of["name"])


def _filters(field: Type) -> str:
    """The names that `query:` may filter by stand in a table of the argument's description."""
    for argument in field["args"]:
        if argument["name"] == "query" and "| name | type |" in (argument["description"] or ""):
            rows = re.findall(r"^\| ([a-z_.{}]+) \| (\w+) \|", argument["description"], re.MULTILINE)
            names = [f"{name}:{kind}" for name, kind in rows if kind != "type" and name != "default"]
            return f" @filters(names: {json.dumps(names)})"
    return ""


def _deprecated(field: Type) -> str:
    """Not of an `id`: where the published schema deprecates a whole type so, it breaks with `Node`, and a parser refuses it."""
    return " @deprecated" if field["isDeprecated"] and field["name"] != "id" else ""


def _order(text: str) -> tuple[int, str]:
    word, name = text.split()[:2]
    rank = {"type": 1, "interface": 2, "union": 3, "input": 4, "enum": 5, "scalar": 6}[word]
    return (0 if name in ("QueryRoot", "Mutation") else rank, name)


if __name__ == "__main__":
    made = Pin(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).text()
    path = HERE / "schema.graphql"
    head = path.read_text(encoding="utf-8").partition("# --- cut by pinning.py ---")[0]
    path.write_text(head + "# --- cut by pinning.py ---\n\n" + made, encoding="utf-8")
