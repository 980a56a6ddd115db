"""What a shop's pages get of us: the tracker itself, and a visitor's id that the server keeps."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import etag

from regulars.connections.tracking.keys import find_key
from regulars.foundation.access.gate import Rule, mark

COOKIE = "regulars_id"
KEPT_SECONDS = 400 * 24 * 3600  # longer than that no browser keeps a cookie
MOST_BYTES = 2_048
_ID = re.compile(r"[A-Za-z0-9-]{16,64}", re.ASCII)


def _without_comments(source: str) -> bytes:
    """The script as it is sent: whole lines of comment and indentation are left out, nothing else is changed."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


SCRIPT = _without_comments((Path(__file__).parent / "regulars.js").read_text())
_SMALL = gzip.compress(SCRIPT, 9, mtime=0)
_MARK = f'W/"{hashlib.sha256(SCRIPT).hexdigest()[:20]}"'
_OF_SCRIPT = {
    "Content-Type": "text/javascript; charset=utf-8",
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


def script(request: HttpRequest) -> HttpResponse:
    """``/regulars.js``. Whoever asks not to be tracked is rid of the cookie of before by it, for the tracker then makes no call."""
    answer = _packed(request)
    if COOKIE in request.COOKIES and _wants_no_tracking(request):
        answer.delete_cookie(COOKIE, samesite="Lax")
        answer["Cache-Control"] = "private, no-store"
    return answer


@etag(lambda request: _MARK)
def _packed(request: HttpRequest) -> HttpResponse:
    """Ready packed; it changes only with the product."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(_SMALL, headers=_OF_SCRIPT | {"Content-Encoding": "gzip"})
    return HttpResponse(SCRIPT, headers=_OF_SCRIPT)


@csrf_exempt
def visitor_id(request: HttpRequest) -> HttpResponse:
    """``/v1/id``: keeps the visitor's anonymous id in a cookie that only this host can read, and says it.

    ``action``: ``keep`` (that of the cookie, else the one proposed), ``set`` (the one proposed: somebody signed out), ``forget``.
    Whoever asks not to be tracked gets no cookie. The cookie is SameSite=Lax: pages of other sites neither get nor change it.
    """
    answering = {"Access-Control-Allow-Origin": request.headers.get("Origin", "*"), "Vary": "Origin"}
    answering["Access-Control-Allow-Credentials"] = "true"
    said = _said(request) if request.method == "POST" else None
    if said is None:
        return JsonResponse({"message": "Send a JSON object by POST."}, status=400, headers=answering)
    if find_key(str(said.get("writeKey", ""))) is None:
        return JsonResponse({"message": "There is no such write key."}, status=401, headers=answering)
    kept = request.COOKIES.get(COOKIE, "")
    known = kept if said.get("action") == "keep" and _ID.fullmatch(kept) else str(said.get("anonymousId", ""))
    is_forgotten = said.get("action") == "forget" or not _ID.fullmatch(known)
    answer = JsonResponse({"anonymousId": "" if is_forgotten else known}, headers=answering)
    if is_forgotten or _wants_no_tracking(request):
        if kept:
            answer.delete_cookie(COOKIE, samesite="Lax")
    else:
        answer.set_cookie(
            COOKIE, known, max_age=KEPT_SECONDS, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return answer


def _said(request: HttpRequest) -> dict[str, Any] | None:
    """The body, sent as plain text so that no browser asks for leave before; None for what is no small object."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _wants_no_tracking(request: HttpRequest) -> bool:
    return request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1"


for _view in (script, visitor_id):
    mark(_view, Rule(get="", post="", public="shops' pages load the tracker, and ask it to keep an id", is_api=True))
