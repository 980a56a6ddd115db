"""The bell: long work, how far it is, and how it ended."""

from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import signed_in
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.pages.registries import WATCHERS
from regulars.foundation.work.models import Task
from regulars.foundation.work.operations import mark_seen
from regulars.foundation.work.queries import count_unseen, find_task, list_tasks_for_bell


@signed_in
def work(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    staff_id, tasks = viewer.staff_id, list(list_tasks_for_bell(viewer, 50))
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
    task = find_task(uid)
    if task is None or not _may_watch(task, viewer_of(request)):
        raise NotFound
    response = render(request, "web/one_task.html", {"task": task})
    if task.ended_at and _is_page_of(request, task.link):
        response["HX-Refresh"] = "true"  # the page says what has come of it
    return response


def _may_watch(task: Task, viewer: Viewer) -> bool:
    """Whoever began it; where nobody in particular did, who sees all stores; and whom the module that does it lets watch."""
    if task.staff_id == viewer.staff_id if task.staff_id is not None else viewer.store_ids is None:
        return True
    watcher = WATCHERS.get(task.kind)
    return watcher is not None and watcher(task.pk, viewer)


def _is_page_of(request: HttpRequest, link: str) -> bool:
    return bool(link) and urlsplit(request.headers.get("HX-Current-URL", "")).path == link
