"""The bell: long work, how far it is, and how it ended."""

from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import signed_in
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.work.operations import mark_seen
from regulars.foundation.work.queries import count_unseen, list_tasks_for_bell


@signed_in
def work(request: HttpRequest) -> HttpResponse:
    staff_id = viewer_of(request).staff_id
    tasks = list(list_tasks_for_bell(staff_id, 50))
    if staff_id is not None:
        mark_seen(staff_id, clock.now())
    running = sum(1 for task in tasks if task.state in {"waiting", "running"})
    sentence = (
        gettext("%d running. You can leave this page; the work goes on.") % running
        if running
        else gettext("Nothing is running now.")
    )
    return render(
        request, "web/work.html", {"title": gettext("Work in progress"), "tasks": tasks, "sentence": sentence}
    )


@signed_in
def bell(request: HttpRequest) -> HttpResponse:
    """The mark on the bell, asked for every now and then."""
    staff_id = viewer_of(request).staff_id
    return render(request, "web/bell.html", {"count": count_unseen(staff_id) if staff_id is not None else 0})


@signed_in
def one_task(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Progress of one piece of work, as a fragment that asks again while it runs."""
    for task in list_tasks_for_bell(viewer_of(request).staff_id, 200):
        if task.uid == uid:
            response = render(request, "web/one_task.html", {"task": task})
            if task.ended_at and _is_page_of(request, task.link):
                response["HX-Refresh"] = "true"  # the page says what has come of it
            return response
    raise NotFound


def _is_page_of(request: HttpRequest, link: str) -> bool:
    return bool(link) and urlsplit(request.headers.get("HX-Current-URL", "")).path == link
