"""Rules that the source itself must keep. Who needs an exception adds it here, where it is reviewed."""

import ast
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("source")  # one process reads all code, and holds it
ROOT = Path(__file__).resolve().parents[2]
BESIDE = ("bench", "chaos", "demo", "docs", "fakes", "tests")  # folders of code beside the product's
LONGEST_FILE = 500
LONGEST_FUNCTION = 50  # lines, signature and docstring too
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "manager.py", "misc.py"}
OUTSIDE = {
    "httpx",
    "httpcore",
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "aiohttp",
    "ftplib",
    "telnetlib",
    "xmlrpc",
}
UNSAFE = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "jsonpickle", "cloudpickle"}
QUERYING = {"filter", "exclude", "get", "annotate", "aggregate", "order_by"}
RUNNING = {"execute", "executemany", "fetch", "execute_values", "copy", "sql"}

# Modules that build SQL, or names of columns, from constants of their own: each was read for what can reach its
# strings.
BUILDS_SQL = {
    "insight/conditions/asking.py",
    "insight/conditions/compiling.py",
    "insight/conditions/persons.py",
    "foundation/bulk.py",
    "foundation/pages/paging.py",
    "foundation/pages/days.py",
    "foundation/api/paging.py",
    "record/catalog/operations/apply.py",
    "record/catalog/queries.py",
    "record/customers/queries.py",
    "foundation/deduplication.py",
    "foundation/partitions.py",
    "record/orders/operations/changes.py",
    "record/orders/operations/parts.py",
    "record/catalog/operations/undo.py",
    "record/customers/operations/undo.py",
    "record/orders/operations/undo.py",
    "record/orders/queries.py",
    "record/orders/operations/refunds.py",
    "record/events/readers.py",
    "insight/segments/queries.py",
    "workflows/queries.py",
    "messages/queries.py",
    "web/queries/customers.py",
}
BUILDS_SQL_FOLDERS = ("insight/warehouse/", "insight/rfm/", "connections/files/operations/")
MAKES_MARKUP = {"foundation/pages/templatetags/shell.py", "foundation/pages/charts.py"}
KNOWS_THE_TIME = {"foundation/clock.py"}


@cache
def _all_code() -> list[tuple[str, ast.Module, str]]:
    """Name, tree and text of every module: the product, its tests, and all that is beside them."""
    top = ROOT.parents[1]
    paths = (path for folder in ("src", *BESIDE) for path in sorted((top / folder).rglob("*.py")))
    texts = [(path.relative_to(top).as_posix(), path.read_text()) for path in paths if "migrations" not in path.parts]
    return [(name, ast.parse(text), text) for name, text in texts]


def _sources() -> list[tuple[str, ast.Module, str]]:
    """The product alone, without its tests; names begin below its package."""
    own = f"{ROOT.relative_to(ROOT.parents[1]).as_posix()}/"
    return [
        (name.removeprefix(own), tree, text)
        for name, tree, text in _all_code()
        if name.startswith(own) and "/tests/" not in name
    ]


def _broken(
    check: Callable[[ast.AST], bool], allowed: Collection[str] = (), folders: tuple[str, ...] = ()
) -> list[str]:
    return [
        f"{name}:{node.lineno}"  # type: ignore[attr-defined]
        for name, tree, _ in _sources()
        if name not in allowed and not name.startswith(folders or ("\0",))
        for node in _parts(tree)
        if check(node)
    ]


@cache
def _parts(tree: ast.Module) -> list[ast.AST]:
    """What the checks look at, walked once for all of them."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call | ast.Import | ast.ImportFrom | ast.Attribute)]


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imports_any(names: set[str]) -> Callable[[ast.AST], bool]:
    return lambda node: any(found == name or found.startswith(f"{name}.") for found in _imports(node) for name in names)


def test_one_client_speaks_to_the_outside() -> None:
    # the latter asks its own web server whether it lives
    own = {"foundation/outbound.py", "foundation/supervisor/supervisor.py"}
    assert _broken(_imports_any(OUTSIDE), own) == []


def test_nothing_is_unpickled_or_evaluated() -> None:
    running = {"eval", "exec", "compile", "__import__"}

    def is_running(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and getattr(node.func, "id", "") in running

    def is_yaml(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        return node.func.attr in {"load", "unsafe_load", "full_load"} and getattr(node.func.value, "id", "") == "yaml"

    assert _broken(_imports_any(UNSAFE)) == []
    assert _broken(is_running) == []
    assert _broken(is_yaml) == []


def test_no_shell_is_started() -> None:
    def is_shell(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        with_shell = any(k.arg == "shell" and getattr(k.value, "value", True) for k in node.keywords)
        return with_shell or (
            _called(node) in {"system", "popen"} and getattr(getattr(node.func, "value", None), "id", "") == "os"
        )

    assert _broken(is_shell) == []


def test_markup_is_made_by_templates() -> None:
    assert _broken(lambda node: _called(node) in {"mark_safe", "SafeString", "SafeText"}, MAKES_MARKUP) == []
    templates = [path for path in ROOT.rglob("*.html") if "vendor" not in path.parts]
    assert len(templates) > 5
    wrong = [path.name for path in templates if re.search(r"\|\s*safe\b|autoescape off|javascript:", path.read_text())]
    assert wrong == []


def test_no_template_runs_script_inline() -> None:
    """The content security policy would stop it; here it is found before it is missed."""
    inline = re.compile(
        r"<script(?![^>]*\b(src|type=\"application/(ld\+)?json\"))[^>]*>|\son\w+\s*=\s*[\"']|hx-on", re.IGNORECASE
    )
    wrong = [
        path.name
        for path in ROOT.rglob("*.html")
        if not {"vendor", "tests"} & set(path.parts) and inline.search(path.read_text())
    ]
    assert wrong == []


def test_no_filter_takes_names_from_elsewhere() -> None:
    def is_open(node: ast.AST) -> bool:
        if (
            not isinstance(node, ast.Call)
            or _called(node) not in QUERYING | {"Q"}
            or not isinstance(node.func, ast.Attribute | ast.Name)
        ):
            return False
        spread = [keyword.value for keyword in node.keywords if keyword.arg is None]
        return any(
            not isinstance(value, ast.Dict) or not all(isinstance(key, ast.Constant) for key in value.keys)
            for value in spread
        )

    assert _broken(is_open, BUILDS_SQL, BUILDS_SQL_FOLDERS) == []


def test_no_sql_is_put_together_from_strings() -> None:
    def is_built(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or _called(node) not in RUNNING or not node.args:
            return False
        first = node.args[0]
        built = isinstance(first, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in first.values)
        return (
            built
            or (isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add) and not _is_constant(first))
            or _is_formatted_text(first)
        )

    assert _broken(is_built, BUILDS_SQL, BUILDS_SQL_FOLDERS) == []
    assert _broken(_is_raw) == []


def _is_raw(node: ast.AST) -> bool:
    """RawSQL may take a constant of its module, named in capitals; ``raw`` and ``extra`` are never needed."""
    if _called(node) == "RawSQL":
        first = node.args[0]  # type: ignore[attr-defined]
        return not (isinstance(first, ast.Constant) or (isinstance(first, ast.Name) and first.id.isupper()))
    return _called(node) in {"raw", "extra"}


def _is_formatted_text(node: ast.AST) -> bool:
    """``"…".format(…)``, but not ``sql.SQL("…").format(…)``, which quotes."""
    return _called(node) == "format" and _called(node.func.value) != "SQL"  # type: ignore[attr-defined]


def _is_constant(node: ast.AST) -> bool:
    return all(isinstance(child, ast.BinOp | ast.Constant | ast.operator) for child in ast.walk(node))


def test_the_environment_is_read_in_one_place() -> None:
    def reads(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and node.attr in {"environ", "getenv"}
            and getattr(node.value, "id", "") == "os"
        )

    # the last two only name Django's settings module
    allowed = {"config/environment.py", "config/wsgi.py", "config/cli.py"}
    assert _broken(reads, allowed, ("config/", "foundation/supervisor/")) == []


def test_time_is_asked_for_at_the_edges() -> None:
    def asks(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        owner = getattr(node.func.value, "id", "")
        return (owner, node.func.attr) in {
            ("datetime", "now"),
            ("datetime", "utcnow"),
            ("date", "today"),
            ("datetime", "today"),
            ("timezone", "now"),
        }

    assert _broken(asks, KNOWS_THE_TIME) == []
    deciding = ("rules.py", "engine.py", "operations.py", "queries.py", "facts.py")
    wrong = [name for name, _, text in _sources() if name.endswith(deciding) and "clock.now()" in text]
    assert wrong == []


def test_rules_do_not_know_django() -> None:
    wrong = [
        name
        for name, tree, _ in _sources()
        if name.endswith(("/rules.py", "/engine.py"))
        for node in ast.walk(tree)
        if any(found == "django" or found.startswith("django.") for found in _imports(node))
    ]
    assert wrong == []


def test_names_and_sizes() -> None:
    assert [name for name, _, _ in _sources() if Path(name).name in FORBIDDEN_NAMES] == []
    assert len(_all_code()) > 2 * len(BESIDE) + len(_sources())
    assert [name for name, _, text in _all_code() if text.count("\n") > LONGEST_FILE] == []


def test_no_function_is_endless() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree, _ in _all_code()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_nothing_names_what_does_not_belong_here() -> None:
    words = re.compile(r"TODO|FIXME|XXX|/work/|/root/|/home/\w")
    assert [name for name, _, text in _sources() if words.search(text)] == []


@pytest.mark.parametrize(
    "wrong", ["q.filter(**given)", "q.filter(**{f'{a}__in': 1})", "Q(**x)", "q.exclude(**dict(x))"]
)
def test_the_rule_on_filters_finds_what_it_should(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}._sources", lambda: [("x.py", ast.parse(wrong), wrong)])
    with pytest.raises(AssertionError):
        test_no_filter_takes_names_from_elsewhere()


@pytest.mark.parametrize(
    "wrong",
    [
        "c.execute(f'SELECT {x}')",
        "c.execute('SELECT ' + x)",
        "c.execute('SELECT %s' % x)",
        "fetch('{}'.format(x), [])",
        "M.objects.raw(x)",
    ],
)
def test_the_rule_on_sql_finds_what_it_should(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}._sources", lambda: [("x.py", ast.parse(wrong), wrong)])
    with pytest.raises(AssertionError):
        test_no_sql_is_put_together_from_strings()
