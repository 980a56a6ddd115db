"""From a raw request to an answer: who asks, which route, is everything in it documented."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from fakes.server import Request, Response, json_response
from fakes.woocommerce import granting, query
from fakes.woocommerce.keys import Key, Refused
from fakes.woocommerce.reading import Call
from fakes.woocommerce.schema import GLOBAL, ROUTES, Route, require_known
from fakes.woocommerce.shop import Shop
from fakes.woocommerce.writing import Api

_ROOT = "/wp-json/wc/v3"
_ALIASES = {"POST": "PUT", "PATCH": "PUT", "HEAD": "GET"}  # WordPress takes each of the first for an edit of one thing
_FORBIDDEN = {"GET": "view", "POST": "create", "PUT": "edit", "DELETE": "delete"}


def _compiled(route: Route) -> re.Pattern[str]:
    return re.compile(route.pattern.replace("<number>", r"(\d+)").replace("<word>", r"(\w+)") + "/?")


_PATTERNS = [(_compiled(route), route) for route in ROUTES]


@dataclass
class Answering:
    """``plain_callback``: keys may be posted to an address without TLS, for trying by hand; the real one refuses that."""

    shop: Shop
    plain_callback: bool = False
    calls: list[str] = field(default_factory=list)  # names of the routes that were asked, in order

    def answer(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Refused as error:
            refusal = {"code": error.code, "message": error.message, "data": {"status": error.status}}
            return json_response(refusal, error.status)

    def _answer(self, request: Request) -> Response:
        home = self.shop.home or request.url[: -len(request.path)]
        if request.path.rstrip("/") == "/wp-json":
            return json_response(self._index(home))
        if request.path.startswith("/wc-auth/v1/"):
            return granting.answer(self.shop, request, home, plain_callback=self.plain_callback)
        if not request.path.startswith(_ROOT):
            raise Refused("fake_unknown_path", f"{request.path} is no path of this shop.", 400)
        key = self.shop.keys.find(request, home, self.shop.clock())
        if request.method == "OPTIONS":
            return json_response({"namespace": "wc/v3"})
        route, places = _route(request)
        _require_key(key, route.method)
        self.calls.append(route.name)
        call = _call(request, route, places, home)
        with self.shop.lock:
            answered: Response = getattr(Api(self.shop), route.name)(call)
        return answered

    def _index(self, home: str) -> dict[str, Any]:
        offset = self.shop.clock().astimezone(self.shop.zone).utcoffset()
        return {
            "name": self.shop.name,
            "description": "",
            "url": home,
            "home": home,
            "gmt_offset": offset.total_seconds() / 3600 if offset else 0,
            "timezone_string": self.shop.timezone,
            "namespaces": ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc/store/v1", "wp/v2"],
            "authentication": [],
            "routes": {},
        }


def _route(request: Request) -> tuple[Route, tuple[str, ...]]:
    path = request.path.removeprefix(_ROOT)
    matched = [(match, route) for pattern, route in _PATTERNS if (match := pattern.fullmatch(path))]
    for method in (request.method, _ALIASES.get(request.method, ""), "POST" if path.endswith("/batch") else ""):
        for match, route in matched:
            if route.method == method:
                return route, match.groups()
    raise Refused("fake_unknown_path", f"{request.method} {path} is in no document of WooCommerce's API.", 400)


def _require_key(key: Key | None, method: str) -> None:
    if key is None:
        doing = _FORBIDDEN[method]
        raise Refused(f"woocommerce_rest_cannot_{doing}", f"Sorry, you cannot {doing} resources.")


def _call(request: Request, route: Route, places: tuple[str, ...], home: str) -> Call:
    given = query.parse(request.query)
    require_known(given, {**GLOBAL, **route.query}, "parameter")
    body: Any = {}
    if request.body and route.method != "GET":
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise Refused("rest_invalid_json", "Invalid JSON body passed.", 400) from error
        require_known(body, route.body or {}, "field")
    return Call(
        route.method,
        home + request.path.rstrip("/"),
        home + _ROOT,
        request.query,
        given,
        tuple(int(place) for place in places if place.isdecimal()),
        next((place for place in places if not place.isdecimal()), ""),
        body,
    )
