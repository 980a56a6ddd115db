"""Bulk operations: one query, carried out whole, its records as lines of JSON behind an address that ends after seven days.

From 2026-01 on an app runs up to five queries at a time in a shop. A query has one list at its root (not ``node`` or ``nodes``), at
most five connections, nested two levels below the root; a connection under a list field is refused, and whoever has a connection
below must be asked for its ``id``. Page arguments are not needed and change nothing.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    validate,
)

from fakes.shopify.records import Record

MOST_RUNNING = 5
MOST_CONNECTIONS = 5
MOST_NESTED = 2
KEPT = timedelta(days=7)
AT_A_TIME = 100


@dataclass
class BulkOperation(Record):
    KIND: ClassVar[str] = "BulkOperation"
    query: str
    created_at: datetime
    is_grouped: bool = False
    status: str = "CREATED"
    completed_at: datetime | None = None
    error_code: str | None = None
    root_object_count: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines).encode()

    @property
    def file_size(self) -> int:
        return len(self.content)

    @property
    def is_running(self) -> bool:
        return self.status in ("CREATED", "RUNNING", "CANCELING")


class BulkDesk:
    """Begun by a mutation; goes one step on at each question about it (created, running, completed), or at ``finish_all``.

    ``fail_next(code, after)`` lets the next one to be carried out fail with the first ``after`` lines as partial data.
    """

    def __init__(self, now: Callable[[], datetime], secret: str, refuse: Callable[[str], str | None]) -> None:
        self._now, self._secret, self.refusal = now, secret, refuse
        self.operations: dict[int, BulkOperation] = {}
        self.code_creations: dict[str, dict[str, Any]] = {}
        self._failing: list[tuple[str, int]] = []

    def fail_next(self, code: str = "INTERNAL_SERVER_ERROR", after: int = 0) -> None:
        self._failing.append((code, after))

    def running(self) -> list[BulkOperation]:
        return [one for one in self.operations.values() if one.is_running]

    def begin(self, number: int, query: str, *, is_grouped: bool) -> BulkOperation:
        operation = BulkOperation(number, query, self._now(), is_grouped)
        self.operations[number] = operation
        return operation

    def step(self, operation: BulkOperation, carry_out: Callable[[str], Any]) -> bool:
        """True if it is done by this."""
        if operation.status == "CANCELING":
            operation.status, operation.completed_at = "CANCELED", self._now()
            return True
        if operation.status == "CREATED":
            operation.status = "RUNNING"
            return False
        if operation.status != "RUNNING":
            return False
        self._complete(operation, carry_out)
        return True

    def _complete(self, operation: BulkOperation, carry_out: Callable[[str], Any]) -> None:
        try:
            roots, lines = written(carry_out(operation.query), is_grouped=operation.is_grouped)
        except GraphQLError as error:
            operation.error_code = str((error.extensions or {})["code"])
            operation.status, operation.completed_at = "FAILED", self._now()
            return
        operation.lines, operation.root_object_count = lines, roots
        operation.status, operation.completed_at = "COMPLETED", self._now()
        if self._failing:
            operation.error_code, kept = self._failing.pop(0)
            operation.status, operation.lines = "FAILED", lines[:kept]

    def address(self, operation: BulkOperation, base: str) -> str | None:
        """Signed, for whoever has it: no token belongs there."""
        ends = int(((operation.completed_at or self._now()) + KEPT).timestamp())
        if self._now().timestamp() >= ends:
            return None
        return f"{base}/bulk/{operation.number_of_kind}.jsonl?expires={ends}&signature={self._signed(operation, ends)}"

    def _signed(self, operation: BulkOperation, ends: int) -> str:
        return hmac.new(
            self._secret.encode(), f"{operation.number_of_kind}.{ends}".encode(), hashlib.sha256
        ).hexdigest()

    def content(self, number: int, ends: int, signature: str) -> bytes | None:
        operation = self.operations.get(number)
        if operation is None or self._now().timestamp() >= ends or signature != self._signed(operation, ends):
            return None
        return operation.content


def written(data: dict[str, Any], *, is_grouped: bool) -> tuple[int, list[str]]:
    """Lines: every record that stood in a connection, without its own connections, with its parent's id.

    Ungrouped, the records of a hundred roots come first and all that hangs on them later, list by list.
    """
    [root] = data.values()
    records = [edge["node"] for edge in root["edges"]]
    lines: list[str] = []
    for start in range(0, len(records), 1 if is_grouped else AT_A_TIME):
        waiting = [(one, None) for one in records[start : start + (1 if is_grouped else AT_A_TIME)]]
        while waiting:
            waiting = _write(waiting, lines, is_grouped=is_grouped)
    return len(records), lines


def _write(waiting: list[tuple[Any, Any]], lines: list[str], *, is_grouped: bool) -> list[tuple[Any, Any]]:
    below: list[tuple[Any, Any]] = []
    for record, parent in waiting:
        plain, inner = _split(record)
        lines.append(
            json.dumps(plain | ({"__parentId": parent} if parent else {}), ensure_ascii=False, separators=(",", ":"))
        )
        children = [(child, record.get("id")) for child in inner]
        if is_grouped:
            while children:
                children = _write(children, lines, is_grouped=True)
        below += children
    return below


def _split(record: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """What stays in the line, and the records of connections wherever in it they stand."""
    plain: dict[str, Any] = {}
    inner: list[Any] = []
    for name, value in record.items():
        if isinstance(value, dict) and "edges" in value:
            inner += [edge["node"] for edge in value["edges"]]
        elif isinstance(value, dict):
            plain[name], more = _split(value)
            inner += more
        else:
            plain[name] = value
    return plain, inner


def refusal(schema: GraphQLSchema, query: str) -> str | None:
    """Why Shopify would not run it; None if it would."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return f"Invalid bulk query: {error.message}"
    if errors := validate(schema, document):
        return f"Invalid bulk query: {errors[0].message}"
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != "query" or operations[0].variable_definitions:
        return "Invalid bulk query: it must be one query without variables."
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return _Shape(schema, fragments).refusal(operations[0])


class _Shape:
    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.schema, self.fragments, self.connections = schema, fragments, 0

    def refusal(self, operation: OperationDefinitionNode) -> str | None:
        root = self.schema.query_type
        selections = list(self._fields(operation.selection_set, root))
        if len(selections) != 1:
            return "Bulk queries must have one top-level field."
        _, name = selections[0][0], selections[0][0].name.value
        if name in ("node", "nodes"):
            return f"Bulk queries cannot contain the top-level field '{name}'."
        why = self._walk(operation.selection_set, root, depth=-1, is_in_list=False)
        if why:
            return why
        if not self.connections:
            return "Bulk queries must contain at least one connection."
        if self.connections > MOST_CONNECTIONS:
            return f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
        return None

    def _fields(self, selection: SelectionSetNode, within: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield node, within
            elif isinstance(node, InlineFragmentNode | FragmentSpreadNode):
                known = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
                name = known.type_condition.name.value if known.type_condition else within.name
                yield from self._fields(known.selection_set, self.schema.type_map[name])

    def _walk(self, selection: SelectionSetNode, within: Any, *, depth: int, is_in_list: bool) -> str | None:
        for node, owner in self._fields(selection, within):
            if node.selection_set is None or not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
                continue
            kind = owner.fields[node.name.value].type
            target = get_named_type(kind)
            if target.name.endswith("Connection"):
                why = self._connection(node, target, depth + 1, is_in_list=is_in_list)
            else:
                is_list = isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
                is_wrapper = owner.name.endswith("Connection")
                inner = is_in_list or (is_list and not is_wrapper)
                why = self._walk(node.selection_set, target, depth=depth, is_in_list=inner)
            if why:
                return why
        return None

    def _connection(self, node: FieldNode, target: Any, depth: int, *, is_in_list: bool) -> str | None:
        name, self.connections = node.name.value, self.connections + 1
        if is_in_list:
            return "Queries that contain a connection field within a list field are not currently supported."
        if depth > MOST_NESTED:
            return f"Bulk queries cannot contain connections with a nesting depth greater than {MOST_NESTED}."
        assert node.selection_set is not None  # noqa: S101  checked by the caller
        below = [one for one, _ in self._fields(node.selection_set, target)]
        if [one.name.value for one in below if one.name.value not in ("pageInfo", "__typename")] != ["edges"]:
            return f"The '{name}' connection must be selected through edges and node."
        if self._has_connection(node.selection_set, target) and not self._asks_id(node.selection_set, target):
            return f"The parent of a connection below '{name}' must select the `id` field without an alias."
        return self._walk(node.selection_set, target, depth=depth, is_in_list=False)

    def _has_connection(self, selection: SelectionSetNode, within: Any) -> bool:
        for node, owner in self._fields(selection, within):
            if node.selection_set is None or not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
                continue
            target = get_named_type(owner.fields[node.name.value].type)
            if target.name.endswith("Connection") or self._has_connection(node.selection_set, target):
                return True
        return False

    def _asks_id(self, selection: SelectionSetNode, connection: Any) -> bool:
        for edges, owner in self._fields(selection, connection):
            if edges.name.value == "edges" and edges.selection_set:
                edge = get_named_type(owner.fields["edges"].type)
                for node, _ in self._fields(edges.selection_set, edge):
                    if node.name.value == "node" and node.selection_set:
                        names = [
                            one for one, _ in self._fields(node.selection_set, get_named_type(edge.fields["node"].type))
                        ]
                        return any(one.name.value == "id" and one.alias is None for one in names)
        return False
