"""The faces of the tracking protocol (public), and the pages for its keys (staff)."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from regulars.connections.base.queries import websites_of
from regulars.connections.tracking import queries
from regulars.connections.tracking.arrivals import list_arrivals, list_visitors
from regulars.connections.tracking.keys import create_key, find_key, revoke_key
from regulars.connections.tracking.models import KeyKind
from regulars.connections.tracking.properties import TYPES, list_own_events
from regulars.connections.tracking.protocol import (
    BATCH,
    MOST_BATCH_BYTES,
    MOST_CALL_BYTES,
    PATHS,
    BadBody,
    in_clear,
    look,
    write_key,
)
from regulars.connections.tracking.recording import PATH
from regulars.foundation import clock
from regulars.foundation.access.gate import Rule, mark, requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import NotFound, RegularsError
from regulars.foundation.inbox.receiving import Arrival, TooBusy, receive, require_room
from regulars.foundation.inbox.straight import Answer, Sent, straight
from regulars.record.own_events.operations import declare, withdraw

KIND, JSON = "tracking", "application/json"
_PUBLIC = "shoppers' browsers and the shop's servers send events; each call names its write key"
# A write key is no cookie: any page may send under it, and nobody's session goes along.
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}
_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, content-encoding",
    "Access-Control-Max-Age": "86400",
}


_THANKS = Answer(200, b'{"success": true}', JSON, _CORS)


def _refuse(status: int, sentence: str, **headers: str) -> Answer:
    return Answer(status, json.dumps({"success": False, "message": sentence}).encode(), JSON, _CORS | headers)


@straight(_PUBLIC)
def collect(sent: Sent, path: str) -> Answer:
    """Stores one call or batch and thanks for it. 400 for what is no JSON or too large, 401 without a living key, 429 while too much
    waits, 503 while the database is away. What a call says is judged later, and never by the status."""
    if sent.method == "OPTIONS":
        return Answer(204, headers=_PREFLIGHT)
    if sent.method != "POST":
        return _refuse(405, "Send it by POST.", Allow="POST, OPTIONS")
    try:
        body = _body(sent, path)
        plain = in_clear(body, sent.header("Content-Encoding"), path)
        payload = look(plain, path)
    except BadBody as error:
        return _refuse(400, str(error))
    key = find_key(write_key(sent.header("Authorization"), payload))
    if key is None:
        return _refuse(401, "There is no such write key, or it was revoked.")
    try:
        require_room(key.source)
    except TooBusy as error:
        wait = str(error.retry_after)
        return _refuse(429, error.sentence, **{"Retry-After": wait, "X-RateLimit-Reset": wait})
    # Each body is a new one: a repeated call is known by its messageId when it is read.
    headers = {PATH: path} | sent.headers()
    receive([Arrival(key.source, KIND, body, headers, key.store_id, size=len(plain))], clock.now())
    return _THANKS


def _body(sent: Sent, path: str) -> bytes:
    """The body as it came, never read as a form whatever its label says. Raises BadBody."""
    most = MOST_BATCH_BYTES if PATHS[path] == BATCH else MOST_CALL_BYTES
    body = sent.body(most)
    if body is None:
        raise BadBody(f"The body is larger than {most // 1024} KB.")
    return body


@csrf_exempt
def project_settings(request: HttpRequest, key: str) -> HttpResponse:
    """What the browser library asks for before it sends anything: to send here, and nowhere else."""
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=_PREFLIGHT)
    if request.method != "GET":
        return _refuse(405, "Ask by GET.", Allow="GET, OPTIONS").for_django()
    if find_key(key) is None:
        return _refuse(404, "There is no such write key, or it was revoked.").for_django()
    host = settings.PUBLIC_URL.partition("://")
    said: dict[str, Any] = {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host[2]}/v1",
                "protocol": host[0],
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return JsonResponse(said, headers=_CORS)


mark(project_settings, Rule(get="", post="", public=_PUBLIC, is_api=True))


@requires("tracking.view", post="tracking.manage")
def tracking(request: HttpRequest) -> HttpResponse:
    viewer, problem = viewer_of(request), ""
    if request.method == "POST":
        try:
            store = queries.get_store(request.POST.get("store", ""), viewer)
            key, text = create_key(
                request.POST.get("name", ""), request.POST.get("kind", ""), store.pk, viewer, clock.now()
            )
        except RegularsError as error:
            problem = error.sentence
        else:
            context = {"title": gettext("Your new key"), "key": key, "text": text, "host": settings.PUBLIC_URL}
            return render(request, "tracking/new.html", context)
    context = {
        "title": gettext("Tracking"),
        "keys": queries.list_keys(viewer, clock.now()),
        "stores": queries.list_stores(viewer),
        "kinds": KeyKind.choices,
        "problem": problem,
        "may_manage": viewer.may("tracking.manage"),
    }
    return render(request, "tracking/keys.html", context, status=400 if problem else 200)


@requires("tracking.view")
def one_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """What was refused under one key, and why, newest first."""
    key = queries.get_key(_number(key_id), viewer_of(request))
    context = {
        "title": key.name,
        "key": key,
        "refusals": queries.list_refusals(key),
        "may_manage": viewer_of(request).may("tracking.manage"),
        "may_open": viewer_of(request).may("inbox.view"),
    }
    return render(request, "tracking/one.html", context)


@requires("tracking.view")
def live(request: HttpRequest) -> HttpResponse:
    """What has just arrived, and what became of it; asked again by itself every two seconds."""
    viewer = viewer_of(request)
    keys = [one.key for one in queries.list_keys(viewer, clock.now())]
    arrivals = list_arrivals(keys, viewer)
    newest = str(arrivals[0].position) if arrivals else ""
    is_poll = "HX-Request" in request.headers and "HX-Boosted" not in request.headers
    if is_poll and request.GET.get("newest") == newest:
        return HttpResponse(status=204)  # nothing is drawn anew under whoever reads or has the focus there
    context = {
        "title": gettext("What just arrived"),
        "keys": keys,
        "arrivals": arrivals,
        "newest": newest,
        "visitors": list_visitors(arrivals, viewer),
        "shops": websites_of(viewer),
    }
    return render(request, "tracking/arrivals.html" if is_poll else "tracking/live.html", context)


@requires("tracking.view", post="tracking.manage")
def event_properties(request: HttpRequest) -> HttpResponse:
    """What the shop's own events say, and which of it conditions may use. A post declares one property."""
    viewer, problem = viewer_of(request), ""
    if request.method == "POST":
        form = request.POST
        try:
            declared = declare(
                form.get("event", ""), form.get("name", ""), form.get("type", ""), viewer, clock.now(),
                is_not_personal="plain" in form,
            )  # fmt: skip
        except RegularsError as error:
            problem = error.sentence
        else:
            messages.success(request, gettext("'%s' is declared. What was recorded before follows.") % declared.name)
            return redirect("tracking-properties")
    context = {
        "title": gettext("Event properties"),
        "events": list_own_events(viewer),
        "types": TYPES.items(),
        "problem": problem,
        "may_declare": viewer.may("tracking.manage") and viewer.store_ids is None,
    }
    return render(request, "tracking/properties.html", context, status=400 if problem else 200)


@requires(post="tracking.manage")
def withdraw_property(request: HttpRequest, declared_id: int) -> HttpResponse:
    withdrawn = withdraw(_number(declared_id), viewer_of(request), clock.now())
    messages.success(request, gettext("'%s' is withdrawn. Its values are taken away.") % withdrawn.name)
    return redirect("tracking-properties")


@requires(post="tracking.manage")
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    revoke_key(_number(key_id), viewer_of(request), clock.now())
    messages.success(request, gettext("The key does not work any more."))
    return redirect("tracking")


def _number(key_id: int) -> int:
    if key_id >= 2**63:
        raise NotFound
    return key_id
