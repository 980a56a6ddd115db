"""Talks to the fenced process: one at a time for each worker, replaced when it dies or hangs."""

import json
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regulars.foundation.errors import InvalidInput
from regulars.messages.rendering.program import SECONDS

_PATIENCE = SECONDS + 1.5  # the kernel ends the process after SECONDS; this is for the pipe
_START = 30.0
_SOURCE = str(Path(__file__).resolve().parents[3])


class CannotRender(InvalidInput):
    """This template cannot be rendered."""

    code = "cannot-render"


@dataclass(frozen=True)
class Source:
    """The texts of one template version."""

    subject: str
    preheader: str
    body: str
    layout: str


@dataclass(frozen=True)
class Rendered:
    """One mail, ready to be put into an envelope. ``subject`` is one line."""

    subject: str
    html: str
    text: str


class Renderer:
    """Holds one fenced process. Safe to share between threads: renderings queue up."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, source: Source, context: Mapping[str, Any]) -> Rendered:
        """Raises CannotRender with a sentence for whoever wrote the template."""
        request = {
            "subject": source.subject,
            "preheader": source.preheader,
            "body": source.body,
            "layout": source.layout,
        }
        line = json.dumps(request | {"context": dict(context)}).encode() + b"\n"
        with self._lock:
            answer = self._ask(line)
        if "problem" in answer:
            raise CannotRender(answer["problem"])
        return Rendered(answer["subject"], answer["html"], answer["text"])

    def close(self) -> None:
        """Ends the fenced process."""
        with self._lock:
            self._end()

    def _ask(self, line: bytes) -> dict[str, str]:
        fresh = self._process is None or self._process.poll() is not None
        process = self._start() if fresh else self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise CannotRender("The process that renders mails cannot be started")
        try:
            process.stdin.write(line)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], _PATIENCE + (_START if fresh else 0))
            answer = process.stdout.readline() if ready else b""
        except BrokenPipeError:
            answer = b""
        if not answer.endswith(b"\n"):
            self._end()
            return {"problem": f"text: takes longer than {SECONDS} seconds, or more memory than a mail may"}
        return dict(json.loads(answer))

    def _start(self) -> subprocess.Popen[bytes]:
        """A new process that inherits nothing: no environment but the path to our source, no open files."""
        self._end()
        command = [sys.executable, "-m", "regulars.messages.rendering.program"]
        environment = {"PYTHONPATH": _SOURCE, "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what was not written dies with its reader
                    pipe.close()
        process.wait()


RENDERER = Renderer()
