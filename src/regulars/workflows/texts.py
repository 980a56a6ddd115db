"""A workflow's definition as text that people write and read."""

from typing import Any

import yaml

from regulars.insight.segments.files import read_yaml
from regulars.workflows.models import Workflow
from regulars.workflows.runs.deciding import definition_of

_HEAD = ("format", "name", "summary", "trigger", "start", "nodes")


def as_text(workflow: Workflow) -> str:
    """YAML of the live version, its nodes in the order in which a person goes through them; '' where there is none."""
    if workflow.live is None:
        return ""
    said, parsed = workflow.live.definition, definition_of(workflow.live.pk)
    nodes = {node.key: _node(said["nodes"][node.key], tuple(node.exits)) for node in parsed.walk()}
    ordered = {name: said[name] for name in _HEAD if name in said} | {"nodes": nodes}
    return yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=100)


def _node(said: dict[str, Any], edges: tuple[str, ...]) -> dict[str, Any]:
    """Its kind first, where it leads to last."""
    settings = {name: value for name, value in said.items() if name not in ("kind", *edges)}
    return {"kind": said["kind"]} | settings | {edge: said[edge] for edge in edges}


def from_text(text: str) -> Any:
    """What YAML or JSON says. Raises InvalidFile with the place of what cannot be read."""
    said = read_yaml(text)
    nodes = said.get("nodes") if isinstance(said, dict) else None
    return said | {"nodes": {key: _as_meant(node) for key, node in nodes.items()}} if isinstance(nodes, dict) else said


def _as_meant(node: Any) -> Any:
    """YAML takes the edges ``yes`` and ``no`` for true and false."""
    return {_EDGES.get(name, name): said for name, said in node.items()} if isinstance(node, dict) else node


_EDGES: dict[Any, str] = {True: "yes", False: "no", "true": "yes", "false": "no"}
