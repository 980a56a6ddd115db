"""The GraphQL endpoint: read, checked against the pinned schema, weighed, carried out, and refused as Shopify refuses."""

import json
import re
from functools import lru_cache, partial
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    execute,
    get_variable_values,
    parse,
    validate,
)

from fakes.shopify import bulk
from fakes.shopify.bulk import BulkDesk, BulkOperation
from fakes.shopify.context import Asking, Json
from fakes.shopify.costing import Bucket, Cost, fixed
from fakes.shopify.payloads import moment
from fakes.shopify.schema import schema
from fakes.shopify.searching import MOST
from fakes.shopify.settings import granted
from fakes.shopify.shop import Shop

_MOST_KNOWN = 200  # queries of a client; to check one takes longer than to carry it out
RATE_LIMITS = "https://shopify.dev/api/usage/rate-limits"
_FORMS = (  # what this library says, and what Shopify says of the same
    (
        r"Cannot query field '(\w+)' on type '(\w+)'.*",
        r"Field '\1' doesn't exist on type '\2'",
        {"code": "undefinedField", "typeName": 2, "fieldName": 1},
    ),
    (
        r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'.*",
        r"Field '\3' doesn't accept argument '\1'",
        {"code": "argumentNotAccepted", "name": 3, "typeName": "Field", "argumentName": 1},
    ),
    (
        r"Field '(\w+)' of type '([^']+)' must have a selection of subfields.*",
        r"Field must have selections (field '\1' returns \2 but has no selections. Did you mean '\1 { ... }'?)",
        {"code": "selectionMismatch", "nodeName": 1},
    ),
    (
        r"Argument '(?:\w+\.)?(\w+)\((\w+):\)' of type .* is required.*",
        r"Field '\1' is missing required arguments: \2",
        {"code": "missingRequiredArguments", "name": 1, "arguments": 2},
    ),
    (
        r"Value '(.+)' does not exist in '(\w+)' enum.*",
        r"Argument has an invalid value (\1). Expected type '\2'.",
        {"code": "argumentLiteralsIncompatible"},
    ),
)


class _RefusedError(Exception):
    def __init__(self, content: Json) -> None:
        super().__init__()
        self.content = content


class Endpoint:
    """``answer(body, scopes)`` gives the content of the answer; its status is 200 even where it refuses."""

    def __init__(self, shop: Shop, desk: BulkDesk, bucket: Bucket) -> None:
        self.shop, self.desk, self.bucket = shop, desk, bucket
        self.asked: list[str] = []

    def answer(self, body: bytes, base: str) -> Json:
        try:
            asked = json.loads(body)
            query, variables = str(asked["query"]), dict(asked.get("variables") or {})
        except (ValueError, KeyError, TypeError):
            return {"errors": {"query": "Required parameter missing or invalid"}}
        self.asked.append(query)
        with self.shop.lock:
            return self._answer(query, variables, asked.get("operationName"), base)

    def _answer(self, query: str, variables: Json, name: str | None, base: str) -> Json:
        try:
            document, operation = _checked(query, name)
            cost = self._cost(document, operation, variables)
        except _RefusedError as refused:
            return refused.content
        done = self.carry_out(document, variables, name, base)
        actual = min(cost, fixed(operation) + _counted(done.data))
        self.bucket.give_back(cost - actual)
        return _content(done) | {"extensions": self._told(cost, actual)}

    def _cost(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Json) -> int:
        """Paid beforehand, at most what it may come to."""
        try:
            cost = Cost(schema(), document, _coerced(operation, variables)).of(operation)
        except GraphQLError as error:
            raise _RefusedError({"errors": [_formed(error)]}) from error
        if cost > self.bucket.most_of_one:
            raise _RefusedError({"errors": [_too_dear(cost, self.bucket.most_of_one)]})
        if not self.bucket.take(cost):
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": RATE_LIMITS}}
            raise _RefusedError({"errors": [throttled], "extensions": self._told(cost, None)})
        return cost

    def _told(self, cost: int, actual: int | None) -> Json:
        status = self.bucket.status()
        return {"cost": {"requestedQueryCost": cost, "actualQueryCost": actual, "throttleStatus": status}}

    def carry_out(
        self, document: DocumentNode, variables: Json, name: str | None, base: str, *, is_bulk: bool = False
    ) -> ExecutionResult:
        ask = Asking(self.shop, granted(self.shop.app.scopes), self.desk, base, is_bulk)
        done = execute(schema(), document, None, ask, variables, name)
        if not isinstance(done, ExecutionResult):
            raise TypeError("resolvers do not wait")
        for error in done.errors or []:
            cause = error.original_error
            if cause is not None and not isinstance(cause, GraphQLError):
                raise cause
        return done

    def step_bulk(self) -> None:
        """Each running bulk operation goes one step on; what ends is told by webhook."""
        for operation in self.desk.running():
            if self.desk.step(operation, self._bulk_data):
                self.shop.fire(("BULK_OPERATIONS_FINISH", partial(self._finished, operation)))

    def _bulk_data(self, query: str) -> Any:
        done = self.carry_out(_parsed(query), {}, None, "", is_bulk=True)
        if done.errors:
            raise done.errors[0]
        return done.data

    def _finished(self, operation: BulkOperation) -> Json:
        zone = self.shop.settings.timezone
        return {
            "admin_graphql_api_id": operation.gid,
            "completed_at": moment(operation.completed_at, zone),
            "created_at": moment(operation.created_at, zone),
            "error_code": operation.error_code.lower() if operation.error_code else None,
            "status": operation.status.lower(),
            "type": "query",
        }


_parsed = lru_cache(maxsize=_MOST_KNOWN)(parse)


@lru_cache(maxsize=_MOST_KNOWN)
def _checked(query: str, name: str | None) -> tuple[DocumentNode, OperationDefinitionNode]:
    try:
        document = parse(query)
    except GraphQLError as error:
        raise _RefusedError({"errors": [_formed(error, "parse error")]}) from error
    if errors := validate(schema(), document):
        raise _RefusedError({"errors": [_translated(error) for error in errors]})
    operation = _chosen(document, name)
    if operation is None:
        raise _RefusedError({"errors": [{"message": "An operation name is required"}]})
    return document, operation


def _coerced(operation: OperationDefinitionNode, given: Json) -> Json:
    """With the defaults that the query itself gives."""
    for value in given.values():
        _refuse_long_lists(value)
    known = get_variable_values(schema(), tuple(operation.variable_definitions or ()), given)
    if isinstance(known, list):
        raise GraphQLError(known[0].message, known[0].nodes, extensions={"code": "INVALID_VARIABLE"})
    return dict(known.coerced)


def _too_dear(cost: int, most: int) -> Json:
    message = f"Query cost is {cost}, which exceeds the single query max cost limit ({most})."
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": most, "documentation": RATE_LIMITS}
    return {"message": message, "extensions": extensions}


def _content(done: ExecutionResult) -> Json:
    errors = [_formed(error) for error in done.errors or []]
    return ({"errors": errors} if errors else {}) | {"data": done.data}


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name:
        return next((one for one in operations if one.name and one.name.value == name), None)
    return operations[0] if len(operations) == 1 else None


def _refuse_long_lists(value: Any) -> None:
    if isinstance(value, list) and len(value) > MOST:
        message = f"The input array size of {len(value)} is greater than the maximum allowed of {MOST}."
        raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_long_lists(inner)


def _formed(error: GraphQLError, code: str | None = None) -> Json:
    formed = dict(error.formatted)
    return formed | ({"extensions": {"code": code}} if code and not error.extensions else {})


def _translated(error: GraphQLError) -> Json:
    for pattern, text, told in _FORMS:
        match = re.fullmatch(pattern, error.message, re.DOTALL)
        if match:
            extensions = {key: match[value] if isinstance(value, int) else value for key, value in told.items()}
            return _formed(error) | {"message": match.expand(text), "extensions": extensions}
    return _formed(error, "graphqlValidation")


def _counted(data: Any) -> int:
    """What was really found, a point for each object with an id of its own."""
    if isinstance(data, dict):
        return ("id" in data) + sum(_counted(value) for value in data.values())
    return sum(_counted(value) for value in data) if isinstance(data, list) else 0


@lru_cache(maxsize=_MOST_KNOWN)
def refusal(query: str) -> str | None:
    return bulk.refusal(schema(), query)
