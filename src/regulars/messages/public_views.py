"""Pages for the recipients of mails: unsubscribing and choosing. No cookie, no sign-in; the link alone says who is meant.

GET changes nothing, since mail scanners open every link. POST is RFC 8058's one-click and our own button alike.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from regulars.foundation import clock
from regulars.foundation.access.gate import public
from regulars.messages import links, operations
from regulars.messages.models import Message

_WHY = "A recipient of a mail, known by the link in it"


@never_cache
@csrf_exempt
@public(_WHY, post=True)
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET asks, POST does; doing it again changes nothing and answers the same."""
    message = links.message_behind(links.UNSUBSCRIBE, token)
    if request.method != "POST":
        return _page(request, message, gettext("Unsubscribe from %s?") % message.brand.name, asks="unsubscribe")
    method = "one-click" if request.POST.get("List-Unsubscribe") == "One-Click" else "unsubscribe page"
    operations.withdraw(message, method, clock.now())
    return _page(
        request,
        message,
        gettext("You are unsubscribed"),
        done=gettext("%s will not write to you about news and offers any more.") % message.brand.name,
    )


@never_cache
@csrf_exempt
@public(_WHY, post=True)
def preferences(request: HttpRequest, token: str) -> HttpResponseBase:
    """What this brand may write about: shown, and changed by the person whose mailbox it is."""
    message = links.message_behind(links.PREFERENCES, token)
    if request.method != "POST":
        return _page(request, message, gettext("What may %s write about?") % message.brand.name, asks="preferences")
    if request.POST.get("news") == "yes":
        operations.welcome_back(message, clock.now())
        done = gettext("You get news and offers from %s again.") % message.brand.name
    else:
        operations.withdraw(message, "preferences page", clock.now())
        done = gettext("%s will not write to you about news and offers any more.") % message.brand.name
    return _page(request, message, gettext("Your choice is kept"), done=done)


def _page(request: HttpRequest, message: Message, title: str, *, asks: str = "", done: str = "") -> HttpResponse:
    context = {
        "title": title,
        "asks": asks,
        "done": done,
        "brand": message.brand,
        "is_on": operations.is_subscribed(message),
    }
    response = render(request, "messages/recipient.html", context)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
