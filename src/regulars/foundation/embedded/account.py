"""Who runs the embedded server: ourselves, or an unprivileged account where we are root, whom PostgreSQL refuses."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from regulars.foundation.embedded.errors import NoAccount

_PREFERRED = ("regulars", "postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    def may_reach(self, path: Path) -> bool:
        """Whether the account can enter each folder down to ``path``, itself included; missing ones are not looked at."""
        return all(self._may_enter(folder) for folder in (path, *path.parents) if folder.is_dir())

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)

    def _may_enter(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        return bool(found.st_mode & (0o010 if found.st_gid == self.gid else 0o001))


def find_unprivileged_account() -> Account | None:
    """The account to run the server under; None where we are not root and run it ourselves. Raises NoAccount."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _PREFERRED:
        if name in known:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise NoAccount
