"""What can be done to saved views of lists."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.urls import Resolver404, resolve
from django.utils.translation import gettext

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.pages.models import SavedView
from regulars.foundation.pages.queries import kept_query

LONGEST_NAME = 60


class ViewNameTaken(Conflict):
    """You have a view of this name already: choose another."""

    code = "view-name-taken"


def save_view(path: str, query: str, name: str, viewer: Viewer, at: datetime, *, is_shared: bool) -> SavedView:
    """Keeps the view; one of the same name is replaced. Raises InvalidInput or NotAllowed."""
    if viewer.staff_id is None:
        raise InvalidInput(gettext("Only a member of staff can do this."))
    values = {"query": kept_query(query), "is_shared": _shared(is_shared, viewer)}
    view, _made = SavedView.objects.update_or_create(
        staff_id=viewer.staff_id,
        path=_own_path(path),
        name=_named(name),
        defaults=values,
        create_defaults={**values, "created_at": at},
    )
    return view


def change_view(view: SavedView, name: str, viewer: Viewer, *, is_shared: bool) -> None:
    """Another name, or shared or not. Raises InvalidInput, NotAllowed or ViewNameTaken."""
    view.name, view.is_shared = _named(name), _shared(is_shared, viewer)
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "is_shared"])
    except IntegrityError as error:
        raise ViewNameTaken from error


def remove_view(view: SavedView) -> None:
    view.delete()


def _named(name: str) -> str:
    text = " ".join(name.replace("\x00", "").split())
    if not 0 < len(text) <= LONGEST_NAME:
        raise InvalidInput(gettext("A view needs a name of at most %d letters.") % LONGEST_NAME)
    return text


def _shared(is_shared: bool, viewer: Viewer) -> bool:
    if is_shared:
        viewer.require("views.share")
    return is_shared


def _own_path(path: str) -> str:
    """An address of this house, so that a view never leads elsewhere."""
    try:
        resolve(path)
    except Resolver404 as error:
        raise InvalidInput(gettext("There is no list at this address.")) from error
    return path
