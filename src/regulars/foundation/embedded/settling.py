"""Puts the folders of the embedded server where the account that runs it can reach them."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from regulars.foundation.embedded.account import Account
from regulars.foundation.embedded.errors import EmbeddedFailure
from regulars.foundation.embedded.place import EmbeddedPlace

_ELSEWHERE = Path("/var/lib/regulars")  # for root's data folders under a closed folder such as /root


def settle(place: EmbeddedPlace, account: Account | None) -> EmbeddedPlace:
    """The real paths of a place, its folders made.

    Where we are root and the account cannot enter the data folder, database and socket lie under ``/var/lib/regulars`` and the data
    folder links to them: no right of a folder that is not ours is ever loosened.
    """
    home = place.data.parent
    if not home.exists():
        home.mkdir(mode=0o711, parents=True)
    if account is not None and not account.may_reach(home):
        _link_elsewhere(place, home)
    _make_socket_folder(place, account)
    return replace(place, data=place.data.resolve(), socket_folder=place.socket_folder.resolve())


def _link_elsewhere(place: EmbeddedPlace, home: Path) -> None:
    base = _ELSEWHERE / hashlib.sha256(bytes(home)).hexdigest()[:16]
    base.mkdir(mode=0o711, parents=True, exist_ok=True)
    for link in (place.data, place.socket_folder):
        if link.parent == home and not link.exists():
            target = base / link.name
            target.mkdir(mode=0o700, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def _make_socket_folder(place: EmbeddedPlace, account: Account | None) -> None:
    """Mode 0700, ours or the account's: who may connect is who may enter. Raises EmbeddedFailure if somebody else made it."""
    folder = place.socket_folder
    is_in_open_folder = folder.parent != place.data.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.uid
    if folder.stat().st_uid not in {owner, os.geteuid()} or (is_in_open_folder and folder.is_symlink()):
        raise EmbeddedFailure(
            f"{folder} was made by somebody else: remove it, or set REGULARS_HOME to a folder with a shorter path."
        )
    folder.chmod(0o700)
    if account is not None:
        account.own(folder)
