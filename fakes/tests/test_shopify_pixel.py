"""The web pixel: its own tests run in Node.js, and what it sends is read by the server without a mark."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.shopify.mutations import EXTENSION
from regulars.connections.tracking import protocol, spec

FOLDER = EXTENSION.parent


def run_pixel(calls: Path) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        print("Skipped: the web pixel is tested in Node.js 20 or newer, which is not installed.")
        pytest.skip("no Node.js")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < 20:
        print(f"Skipped: the web pixel is tested in Node.js 20 or newer, and this is {version.strip()}.")
        pytest.skip("old Node.js")
    told = {**os.environ, "PIXEL_CALLS": str(calls)}
    script = str(FOLDER / "tests" / "pixel.test.mjs")
    return subprocess.run([node, "--test", script], env=told, capture_output=True, text=True, check=False, timeout=60)


def test_the_pixel_in_its_sandbox_and_its_calls_at_the_server(tmp_path: Path) -> None:
    done = run_pixel(tmp_path / "calls.json")
    assert done.returncode == 0, done.stdout + done.stderr
    bodies = json.loads((tmp_path / "calls.json").read_text(encoding="utf-8"))
    at, kinds = datetime(2026, 11, 2, 9, 0, 1, tzinfo=UTC), []
    for body in bodies:
        payload = protocol.parse(body.encode(), "", "batch")
        assert protocol.write_key("", payload) == "browser-key"
        for call in protocol.read_calls(payload, "batch", at, "browser-key"):
            assert isinstance(call, protocol.Call)
            kinds.append(call.kind)
            if call.kind == "track":
                known = spec.find_spec(call.name)
                assert known is not None, call.name
                assert spec.type_properties(known.fields, call.properties).invalid == (), call.name
    assert kinds == ["page", *["track"] * 12]
