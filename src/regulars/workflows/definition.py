"""What a workflow is: versioned JSON, checked as a whole, with every problem named by its place.

    {"format": 1, "name": "...", "trigger": {"kind": "segment.entered", "segment": "at-risk"}, "start": "wait",
     "nodes": {"wait": {"kind": "wait", "for": {"days": 3}, "next": "check"}, ...}}

Nodes are a graph by name: further kinds of nodes (waiting for an event, splits, goals) are further entries in the registry of steps
and further edges; entry rules, holdouts and goals are further keys beside ``trigger``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from regulars.foundation.errors import InvalidInput
from regulars.workflows.steps.kinds import STEPS, Names, Step, StepProblem

FORMAT = 1
_KEYS = {"format", "name", "summary", "trigger", "start", "nodes"}
MOST_NODES = 200


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: 'nodes.wait.for'."""

    place: str
    sentence: str


class InvalidDefinition(InvalidInput):
    """This workflow cannot work as it is."""

    code = "invalid-workflow"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.place}: {p.sentence}" for p in problems))


@dataclass(frozen=True)
class Node:
    """One node: its step with settings read, its edges, and the settings as written (for its action)."""

    key: str
    kind: str
    step: Step
    exits: Mapping[str, str]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Definition:
    """A checked workflow."""

    name: str
    summary: str
    trigger: Mapping[str, Any]
    start: str
    nodes: Mapping[str, Node]

    def walk(self) -> Iterator[Node]:
        """Nodes from the start, each once, the first edge first: the order in which a person reads them."""
        waiting, seen = [self.start], set()
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            node = self.nodes[key]
            yield node
            waiting.extend(reversed(list(node.exits.values())))

    def in_words(self, names: Names) -> str:
        """One sentence: 'When ...: wait 3 days, then check ..., then send ...'"""
        kinds = [node.step.describe(names) for node in self.walk() if node.kind != "exit"]
        return ", then ".join(kinds)


def parse_definition(raw: Any) -> Definition:
    """The checked definition. Raises InvalidDefinition with all problems found."""
    if not isinstance(raw, Mapping):
        raise InvalidDefinition([Problem("definition", "must be a JSON object")])
    problems = list(_check_frame(raw))
    if problems:
        raise InvalidDefinition(problems)
    nodes = {
        key: node
        for key, settings in raw["nodes"].items()
        if (node := _parse_node(key, settings, raw["nodes"], problems))
    }
    if not problems:
        problems += _check_graph(raw["start"], nodes)
    if problems:
        raise InvalidDefinition(problems)
    trigger = MappingProxyType(dict(raw["trigger"]))
    return Definition(raw["name"], raw.get("summary", ""), trigger, raw["start"], MappingProxyType(nodes))


def _check_frame(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for key in sorted(map(str, raw.keys() - _KEYS)):
        yield Problem(key, f"is not known here; known are {', '.join(sorted(_KEYS))}")
    if raw.get("format") != FORMAT:
        yield Problem("format", f"must be {FORMAT}")
    if not isinstance(raw.get("name"), str) or not raw.get("name", "").strip():
        yield Problem("name", "must be a name that people read")
    if not isinstance(raw.get("trigger"), Mapping) or not isinstance(raw["trigger"].get("kind"), str):
        yield Problem(
            "trigger", 'must say what starts a run, such as {"kind": "segment.entered", "segment": "at-risk"}'
        )
    nodes = raw.get("nodes")
    if not isinstance(nodes, Mapping) or not 0 < len(nodes) <= MOST_NODES:
        yield Problem("nodes", f"must have between 1 and {MOST_NODES} nodes")
    elif raw.get("start") not in nodes:
        yield Problem("start", "must be the name of a node")


def _parse_node(key: str, raw: Any, nodes: Mapping[str, Any], problems: list[Problem]) -> Node | None:
    place = f"nodes.{key}"
    kind = STEPS.get(raw.get("kind", "")) if isinstance(raw, Mapping) and isinstance(raw.get("kind"), str) else None
    if kind is None:
        problems.append(Problem(place, f"needs a 'kind' out of {', '.join(STEPS)}"))
        return None
    for edge in kind.edges:
        if raw.get(edge) not in nodes:
            problems.append(Problem(f"{place}.{edge}", "must be the name of a node"))
    settings = {name: value for name, value in raw.items() if name not in {"kind", *kind.edges}}
    try:
        step = kind.parse(settings)
    except StepProblem as problem:
        problems.append(Problem(place, str(problem)))
        return None
    return Node(
        key,
        kind.name,
        step,
        MappingProxyType({edge: raw.get(edge, "") for edge in kind.edges}),
        MappingProxyType(settings),
    )


def _check_graph(start: str, nodes: Mapping[str, Node]) -> Iterator[Problem]:
    reached = _reach(start, nodes)
    for key in nodes:
        if key not in reached:
            yield Problem(f"nodes.{key}", "can never be reached from the start")
    for key in sorted(reached):
        if not STEPS[nodes[key].kind].waits and _returns_without_waiting(key, nodes):
            yield Problem(f"nodes.{key}", "comes back to itself without waiting in between")
    if not any(not node.exits for node in nodes.values()):
        yield Problem("nodes", "need an exit")


def _reach(start: str, nodes: Mapping[str, Node]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(nodes[key].exits.values())
    return found


def _returns_without_waiting(key: str, nodes: Mapping[str, Node]) -> bool:
    found, waiting = set[str](), list(nodes[key].exits.values())
    while waiting:
        here = waiting.pop()
        if here == key:
            return True
        if here not in found and not STEPS[nodes[here].kind].waits:
            found.add(here)
            waiting.extend(nodes[here].exits.values())
    return False
