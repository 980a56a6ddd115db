"""What a process keeps in mind of the database, learnt anew before each piece of work: a request, a batch of a loop, a command.

For registries of which a part is what staff of this house decided. A lesson is one small query, and changes nothing where nothing changed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class Lesson:
    """``forget`` takes back whatever was learnt, for tests."""

    learn: Callable[[], None]
    forget: Callable[[], None]


LESSONS: Registry[Lesson] = Registry("lesson")


def learn() -> None:
    """Brings this process up to date."""
    for _, lesson in LESSONS.items():
        lesson.learn()


def forget() -> None:
    """Leaves what stands in the code."""
    for _, lesson in LESSONS.items():
        lesson.forget()


class Learnt:
    """Before every request of staff and programs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/") or request.user.is_authenticated:
            learn()
        return self.get_response(request)
