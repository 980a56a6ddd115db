"""The pinned schema with a resolver on every field: what may be asked is what `schema.graphql` says, and nothing else."""

import re
from datetime import datetime
from functools import cache
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    value_from_ast_untyped,
)

from fakes.shopify import fields_of_goods, fields_of_orders, fields_of_people, fields_of_shop
from fakes.shopify.context import Asking, Field, Within, kind_of, moment
from fakes.shopify.mutations import MUTATIONS
from fakes.shopify.roots import place_of, root_fields
from fakes.shopify.searching import Page, paged
from fakes.shopify.settings import PROTECTED, SCHEMA_TEXT

FIELDS = fields_of_goods.FIELDS | fields_of_orders.FIELDS | fields_of_people.FIELDS | fields_of_shop.FIELDS
DOCUMENTS = "https://shopify.dev/api/usage/access-scopes"
# Protected customer data: null beside an error for whoever was not let have it; the link of a checkout needs all four from 2027 on.
# https://shopify.dev/docs/apps/launch/protected-customer-data, https://shopify.dev/changelog (2026-11-19)
_STREET = ("address1", "address2", "city", "company", "zip", "province", "provinceCode", "countryCodeV2")
CUSTOMER_DATA = {
    **{("MailingAddress", name): frozenset({"address"}) for name in _STREET},
    **{
        (kind, name): frozenset({"name"})
        for kind in ("Customer", "MailingAddress")
        for name in ("firstName", "lastName")
    },
    ("MailingAddress", "name"): frozenset({"name"}),
    ("CustomerEmailAddress", "emailAddress"): frozenset({"email"}),
    ("Order", "email"): frozenset({"email"}),
    ("CustomerPhoneNumber", "phoneNumber"): frozenset({"phone"}),
    ("MailingAddress", "phone"): frozenset({"phone"}),
    ("Order", "phone"): frozenset({"phone"}),
    ("AbandonedCheckout", "abandonedCheckoutUrl"): PROTECTED,
}


@cache
def schema() -> GraphQLSchema:
    built = build_schema(SCHEMA_TEXT)
    special = FIELDS | {"QueryRoot": root_fields(_filters(built)), "Mutation": MUTATIONS}
    for name, one in built.type_map.items():
        if isinstance(one, GraphQLObjectType) and not name.startswith("__"):
            for field_name, field in one.fields.items():
                field.resolve = _resolver(built, one, field_name, field, special.get(name, {}).get(field_name))
        elif isinstance(one, GraphQLInterfaceType | GraphQLUnionType):
            one.resolve_type = lambda value, info, abstract: kind_of(value)
        elif isinstance(one, GraphQLScalarType) and name in ("DateTime", "UnsignedInt64"):
            one.coerce_output_value = _moment_text if name == "DateTime" else str
    return built


def _moment_text(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else value


def directive(of: GraphQLObjectType | GraphQLField, name: str) -> list[str]:
    """The list in ``@access(anyOf: [...])`` or ``@filters(names: [...])``."""
    if of.ast_node is None:
        return []
    for one in of.ast_node.directives or ():
        if one.name.value == name:
            return [str(value) for value in value_from_ast_untyped((one.arguments or ())[0].value)]
    return []


def _filters(built: GraphQLSchema) -> dict[str, dict[str, str]]:
    root = built.query_type
    assert root is not None  # noqa: S101  the schema says so
    return {
        name: dict(text.rsplit(":", 1) for text in directive(field, "filters")) for name, field in root.fields.items()
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _resolver(
    built: GraphQLSchema, within: GraphQLObjectType, name: str, field: GraphQLField, special: Field | None
) -> Any:
    needed, shown = _needed(built, field), CUSTOMER_DATA.get((within.name, name), frozenset())
    is_connection = get_named_type(field.type).name.endswith("Connection")
    plain_name = _snake(name)

    def resolve(source: Any, info: GraphQLResolveInfo[Asking], **arguments: Any) -> Any:
        ask = info.context
        for scopes in needed:
            if ask.scopes.isdisjoint(scopes):
                raise _denied(name, scopes)
        if not shown <= ask.shop.app.customer_data:
            raise GraphQLError(
                f"This app is not approved to use the {name} field. See https://partners.shopify.com/1/apps/1/customer_data",
                extensions={"code": "ACCESS_DENIED"},
            )
        ask.arguments = arguments
        value = special(source, ask) if special else _plain(source, name, plain_name, field)
        return _page(value, ask, arguments) if is_connection and isinstance(value, list) else value

    return resolve


def _needed(built: GraphQLSchema, field: GraphQLField) -> list[list[str]]:
    """Scopes of the field itself, and of the type that it gives (a connection gives its nodes' type)."""
    target = get_named_type(field.type)
    target = built.type_map.get(target.name.removesuffix("Connection"), target)
    of_type = directive(target, "access") if isinstance(target, GraphQLObjectType) else []
    return [scopes for scopes in (directive(field, "access"), of_type) if scopes]


def _denied(name: str, scopes: list[str]) -> GraphQLError:
    required = " or ".join(f"`{scope}` access scope" for scope in scopes)
    return GraphQLError(
        f"Access denied for {name} field. Required access: {required}.",
        extensions={"code": "ACCESS_DENIED", "documentation": DOCUMENTS, "requiredAccess": f"{required}."},
    )


_SPELT = {"id": "gid", "legacyResourceId": "number_of_kind"}


def _plain(source: Any, name: str, plain_name: str, field: GraphQLField) -> Any:
    """What a dict or a record holds under the field's name; else null or an empty list where the schema allows it."""
    if isinstance(source, dict) and name in source:
        return source[name]
    record = source.record if isinstance(source, Within) else source
    if not isinstance(source, dict) and hasattr(record, _SPELT.get(name, plain_name)):
        return getattr(record, _SPELT.get(name, plain_name))
    if not isinstance(field.type, GraphQLNonNull):
        return None
    if isinstance(field.type.of_type, GraphQLList) or get_named_type(field.type).name.endswith("Connection"):
        return []
    raise GraphQLError(f"The fake has nothing to say of {name}: add it to the fields_of_ modules")


def _page(value: list[Any], ask: Asking, arguments: dict[str, Any]) -> Page:
    """Roots and ``orders`` sort by key, parts of a record stand in their own order."""
    wanted = {} if ask.is_bulk else arguments
    if arguments.get("sortKey") and not any(isinstance(one, dict) for one in value):
        return paged(value, place_of(arguments["sortKey"]), wanted | {"reverse": arguments.get("reverse")})
    places = {id(one): index for index, one in enumerate(value)}
    return paged(value, lambda one: (places[id(one)], 0), wanted)
