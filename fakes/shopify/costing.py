"""What a query costs and whether the bucket holds it: Shopify's calculated query cost and leaky bucket.

The documented defaults: a scalar or enumeration 0, an object 1, an interface or union its dearest selection, a mutation 10, a
connection sized by ``first`` or ``last``. Amounts and other values without an id of their own (MoneyBag, PageInfo, Attribute ...)
cost nothing here, and a connection costs 2 and its nodes: what Shopify asks for each single field is not published.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

from fakes.shopify.searching import MOST, bad_request

MUTATION_COST = 10


@dataclass
class Bucket:
    """One app in one shop. The standard plan: 100 points a second, 2,000 at most, 1,000 in one query."""

    now: Callable[[], datetime]
    size: float = 2000
    restore_rate: float = 100
    most_of_one: int = 1000
    available: float = field(init=False)
    _read_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.available, self._read_at = self.size, self.now()

    def refill(self) -> None:
        at = self.now()
        seconds = (at - self._read_at).total_seconds()
        self.available, self._read_at = min(self.size, self.available + seconds * self.restore_rate), at

    def take(self, cost: float) -> bool:
        self.refill()
        if cost > self.available:
            return False
        self.available -= cost
        return True

    def give_back(self, points: float) -> None:
        self.available = min(self.size, self.available + points)

    def status(self) -> dict[str, float]:
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": int(self.available),
            "restoreRate": float(self.restore_rate),
        }


def fixed(operation: OperationDefinitionNode) -> int:
    """What is paid whatever is found: for each mutation."""
    is_mutation = operation.operation.value == "mutation"
    return MUTATION_COST * len(operation.selection_set.selections) if is_mutation else 0


class Cost:
    """Walks a checked document before it is carried out: what it may cost at most, and whether its pages are allowed."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self.schema, self.variables = schema, variables
        self.fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def of(self, operation: OperationDefinitionNode) -> int:
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            return 0
        return fixed(operation) + self._selection(root, operation.selection_set)

    def _selection(self, within: GraphQLNamedType, selection: SelectionSetNode | None) -> int:
        plain, dearest = 0, 0
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                plain += self._field(within, node)
            elif isinstance(node, FragmentSpreadNode | InlineFragmentNode):
                inner, target = self._fragment(within, node)
                cost = self._selection(target, inner)
                is_choice = isinstance(within, GraphQLInterfaceType | GraphQLUnionType)
                plain, dearest = (plain, max(dearest, cost)) if is_choice else (plain + cost, dearest)
        return plain + dearest

    def _fragment(
        self, within: GraphQLNamedType, node: FragmentSpreadNode | InlineFragmentNode
    ) -> tuple[SelectionSetNode, GraphQLNamedType]:
        found = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        name = found.type_condition.name.value if found.type_condition else within.name
        return found.selection_set, self.schema.type_map[name]

    def _field(self, within: GraphQLNamedType, node: FieldNode) -> int:
        if node.name.value.startswith("__") or not isinstance(within, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        known: GraphQLField = within.fields[node.name.value]
        target = get_named_type(known.type)
        if target.name.endswith("Connection"):
            return 2 + self._size(known, node) * self._nodes(target, node.selection_set)
        return _own(target) + self._selection(target, node.selection_set)

    def _nodes(self, connection: GraphQLNamedType, selection: SelectionSetNode | None) -> int:
        """Of one node, whether it stands under ``nodes`` or under ``edges``."""
        return self._selection(connection, selection)

    def _size(self, known: GraphQLField, node: FieldNode) -> int:
        given = {one.name.value: self._value(one.value) for one in node.arguments or ()}
        first, last = given.get("first"), given.get("last")
        if first is None and last is None:
            raise bad_request("you must provide one of first or last")
        if first is not None and last is not None:
            raise bad_request("providing both first and last is not supported")
        size = int(last or 0) if first is None else int(first)
        if not 0 <= size <= MOST:
            raise bad_request(f"Argument 'first' or 'last' must be between 0 and {MOST}, and is {size}")
        return size

    def _value(self, node: Any) -> Any:
        return self.variables.get(node.name.value) if isinstance(node, VariableNode) else value_from_ast_untyped(node)


def _own(target: GraphQLNamedType) -> int:
    is_record = isinstance(target, GraphQLObjectType | GraphQLInterfaceType) and "id" in target.fields
    return int(is_record or isinstance(target, GraphQLUnionType))
