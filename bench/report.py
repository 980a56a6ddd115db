"""Puts the results of a run into docs/benchmarks.md: ``python -m bench.report bench-results/FILE.json``."""

import json
import sys
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- results -->", "<!-- end of results -->"
_HEAD = "| what | figure | limit of the same run | ratio | goal | notes |\n| --- | --- | --- | --- | --- | --- |"


def table(results: dict[str, Any]) -> str:
    """Markdown with one row a figure, and what it was measured on."""
    machine, server, scale = results["machine"], results["postgresql"], results["scale"]
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, Python {machine['python']}"
    settings = ", ".join(f"`{name}` {value}" for name, value in server.items())
    facts = f"Measured {results['at'][:10]} on {where}. Scale {scale['factor']:g}, seed {scale['seed']}. PostgreSQL: {settings}."
    return "\n".join([facts, "", _HEAD, *map(_row, results["figures"])])


def _row(figure: dict[str, Any]) -> str:
    limit = "" if figure["limit_value"] is None else f"{_number(figure['limit_value'])} {figure['unit']}"
    ratio = "" if figure["ratio"] is None else f"{figure['ratio']:.2f}"
    cells = (
        figure["name"],
        f"{_number(figure['value'])} {figure['unit']}",
        limit,
        ratio,
        figure["goal"],
        figure["note"],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def write(results: dict[str, Any], page: Path) -> None:
    """Replaces what stands between the page's two marks."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n{table(results)}\n{_END}{after}")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text()), Path("docs/benchmarks.md"))
