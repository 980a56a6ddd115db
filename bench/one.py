"""Runs one bench module in this process: ``python -m bench.one NAME FACTOR SEED FILE``, as ``python -m bench`` does."""

import json
import resource
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import django

from bench import Figure, Scale


def main(name: str, factor: str, seed: str, path: str) -> None:
    """Writes the module's figures, and the most memory that the process held, as JSON."""
    django.setup()
    before = _peak_megabytes()
    figures: list[Figure] = import_module(f"bench.{name}").run(Scale(float(factor), int(seed)))
    peak = Figure(f"{name}: most memory held", _peak_megabytes(), "MB", note=f"{before:.0f} MB before it began")
    Path(path).write_text(json.dumps([asdict(figure) for figure in [*figures, peak]]))


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
