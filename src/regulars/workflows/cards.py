"""A workflow as cards: the tree from the trigger down, each node with its words and its live numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulars.foundation.access.viewer import Viewer
from regulars.workflows.definition import Definition, Node
from regulars.workflows.models import Workflow
from regulars.workflows.queries import NodeCounts, count_by_node
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.steps.action import CARRIERS, NodeFigure
from regulars.workflows.steps.kinds import STEPS

_EDGE_WORDS = {"yes": "Yes", "no": "No"}


@dataclass(frozen=True)
class Branch:
    """One way out of a node, with what stands on it. ``label`` is empty where there is only one way."""

    label: str
    cards: Sequence["Card"]


@dataclass(frozen=True)
class Card:
    """One node. ``figures`` are doors; ``branches`` is empty unless the ways part here; ``back_to`` names a node drawn already."""

    key: str
    kind: str
    label: str
    icon: str
    words: str
    figures: Sequence[NodeFigure]
    branches: Sequence[Branch] = ()
    back_to: str = ""


def cards_of(workflow: Workflow, viewer: Viewer) -> Sequence[Card]:
    """The cards of the live version, from its first node down."""
    if workflow.live_id is None:
        return []
    definition = definition_of(workflow.live_id)
    counts = count_by_node(workflow, viewer)
    carried: dict[str, list[NodeFigure]] = {}
    for _, carrier in CARRIERS.items():
        for node, figures in carrier.figures(workflow.key, workflow.pk, viewer).items():
            carried.setdefault(node, []).extend(figures)
    drawn: set[str] = set()
    return _draw(definition, definition.start, _numbers(workflow, counts, carried), drawn)


def _numbers(
    workflow: Workflow, counts: Mapping[str, NodeCounts], carried: Mapping[str, list[NodeFigure]]
) -> dict[str, list[NodeFigure]]:
    found: dict[str, list[NodeFigure]] = {}
    for node in counts.keys() | carried.keys():
        here, base = counts.get(node, NodeCounts()), f"/runs?workflow={workflow.key}&node={node}&state="
        own = [
            ("waiting here", here.waiting, "on-the-way"),
            ("ended here", here.ended, "ended"),
            ("stuck", here.stuck, "stuck"),
        ]
        found[node] = [NodeFigure(label, n, base + state) for label, n, state in own if n] + carried.get(node, [])
    return found


def _draw(definition: Definition, key: str, numbers: Mapping[str, list[NodeFigure]], drawn: set[str]) -> list[Card]:
    """The chain from one node to where the ways part or end."""
    cards: list[Card] = []
    while True:
        node = definition.nodes[key]
        if key in drawn:
            cards.append(_card(node, [], back_to=key))
            return cards
        drawn.add(key)
        if len(node.exits) == 1:
            cards.append(_card(node, numbers.get(key, [])))
            key = next(iter(node.exits.values()))
            continue
        branches = [
            Branch(_EDGE_WORDS.get(edge, edge), _draw(definition, following, numbers, drawn))
            for edge, following in node.exits.items()
        ]
        cards.append(_card(node, numbers.get(key, []), branches))
        return cards


def _card(node: Node, figures: Sequence[NodeFigure], branches: Sequence[Branch] = (), back_to: str = "") -> Card:
    kind, words = STEPS[node.kind], node.step.describe()
    return Card(node.key, node.kind, kind.label, kind.icon, words[:1].upper() + words[1:], figures, branches, back_to)
