"""The API as a whole: the routes of every module, found by the name of its door ``api.py``."""

from typing import Any

from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema

from regulars.foundation.access.gate import Rule, mark, public
from regulars.foundation.api.parsing import SafeParser
from regulars.foundation.api.problems import as_problem, install, no_such_route
from regulars.foundation.doors import load_doors

DESCRIPTION = """Everything that your own programs need: customers, orders, products, events, segments and workflows.

Send `Authorization: Bearer <token>`; each route names the scope that its token needs. Lists come in pages: follow
`next` as
`cursor` until it is null. A request that writes may carry an `Idempotency-Key`: sent again with the same key and body
within 24
hours, it gets the same reply and changes nothing. Errors are `application/problem+json` with a sentence that helps."""


class Described(NinjaAPI):
    """Describes itself once: that takes a processor a second, and anybody may ask for it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._schemas: dict[str | None, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        if path_prefix not in self._schemas:
            self._schemas[path_prefix] = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        return self._schemas[path_prefix]


def build_api() -> NinjaAPI:
    """All routers of all doors, with safe parsing and problems."""
    api = Described(
        title="Regulars",
        version="1",
        description=DESCRIPTION,
        urls_namespace="api-v1",
        parser=SafeParser(),
        docs=Swagger({"persistAuthorization": False}),
    )
    install(api)
    for door in load_doors("api"):
        for prefix, router in door.ROUTERS.items():
            api.add_router(prefix, router)
    return api


def api_urls() -> list[URLPattern | URLResolver]:
    """Addresses under /api. Each route checks its own token; documents about the API are public."""
    api = build_api()
    patterns, _, _ = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            guard(pattern)
    nothing = csrf_exempt(no_such_route)
    mark(nothing, Rule(public="says that there is no such route", is_api=True))
    return [path("v1/", (patterns, "ninja", "api-v1")), path("<path:rest>", nothing)]


def guard(pattern: URLPattern) -> None:
    """Marks a route of the API for the gate, and lets it speak in problems."""
    if pattern.name in {"openapi-json", "openapi-view"}:
        pattern.callback = public("describes the API, holds no data")(pattern.callback)
        return
    pattern.callback = as_problem(pattern.callback)
    mark(
        pattern.callback,
        Rule(public="a bearer token with the route's scope is checked by the route itself", is_api=True),
    )
