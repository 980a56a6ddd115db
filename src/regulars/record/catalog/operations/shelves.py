"""Categories: found or made, one level of depth after the other."""

from collections.abc import Iterable

from regulars.record.catalog.models import Category

Path = tuple[str, ...]


def ensure_categories(paths: Iterable[Path], store_id: int) -> dict[Path, int]:
    """Id of each category by its path such as ('Home', 'Kitchen'), parents included."""
    wanted = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    found: dict[Path, int] = {}
    for depth in range(1, max(map(len, wanted), default=0) + 1):
        found |= _level({path for path in wanted if len(path) == depth}, found, store_id)
    return found


def _level(paths: set[Path], found: dict[Path, int], store_id: int) -> dict[Path, int]:
    places = {path: (found.get(path[:-1]), path[-1][:200]) for path in sorted(paths)}
    Category.objects.bulk_create(
        [Category(store_id=store_id, parent_id=parent, name=name) for parent, name in dict.fromkeys(places.values())],
        ignore_conflicts=True,
    )
    rows = Category.objects.filter(store=store_id, name__in={name for _, name in places.values()}).values_list(
        "parent_id", "name", "id"
    )
    there: dict[tuple[int | None, str], int] = {(parent, name): row for parent, name, row in rows}
    return {path: there[place] for path, place in places.items()}
