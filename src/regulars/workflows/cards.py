"""A workflow as cards: the tree from the trigger down, each node with its words and its live numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from regulars.foundation.access.viewer import Viewer
from regulars.workflows.definition import Definition, Node
from regulars.workflows.models import Workflow
from regulars.workflows.queries import NodeCounts, count_by_node, names_in_use
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.steps.action import CARRIERS, NodeFigure
from regulars.workflows.steps.kinds import STEPS, Names

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
    drawing = _Drawing(definition, _numbers(workflow, counts, carried), names_in_use())
    return drawing.chain(definition.start)


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


@dataclass
class _Drawing:
    """What is drawn so far of one workflow."""

    definition: Definition
    numbers: Mapping[str, list[NodeFigure]]
    names: Names
    drawn: set[str] = field(default_factory=set)

    def chain(self, key: str) -> list[Card]:
        """The cards from one node to where the ways part, end, or come back to what is drawn already."""
        cards: list[Card] = []
        while key not in self.drawn:
            self.drawn.add(key)
            node = self.definition.nodes[key]
            if len(node.exits) != 1:
                branches = [
                    Branch(_EDGE_WORDS.get(edge, edge), self.chain(following)) for edge, following in node.exits.items()
                ]
                return [*cards, self._card(node, branches)]
            cards.append(self._card(node))
            key = next(iter(node.exits.values()))
        return [*cards, replace(self._card(self.definition.nodes[key]), figures=[], back_to=key)]

    def _card(self, node: Node, branches: Sequence[Branch] = ()) -> Card:
        kind, words = STEPS[node.kind], node.step.describe(self.names)
        figures = self.numbers.get(node.key, [])
        return Card(node.key, node.kind, kind.label, kind.icon, words[:1].upper() + words[1:], figures, branches)
