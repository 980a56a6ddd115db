"""Categories: found or made, one level of depth after the other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from regulars.record.catalog.inputs import ProductInput
from regulars.record.catalog.models import Category

Path = tuple[str, ...]
LONGEST = 200


@dataclass(frozen=True)
class Shelves:
    """The categories that some products name: one of each path, and all that have a name, the oldest first."""

    by_path: Mapping[Path, int]
    by_name: Mapping[str, Sequence[int]]

    def of(self, product: ProductInput, old: Sequence[int]) -> list[int]:
        """Ids of the product's categories; those where it stands already where it names none. What is named without what stands above
        it is where the product stands already, else the oldest of that name."""
        named = (self.by_name[name[:LONGEST]] for name in product.category_names)
        found = {next((one for one in some if one in old), some[0]) for some in named}
        return sorted({*found, *(self.by_path[path] for path in product.categories)}) or list(old)


def find_shelves(products: Collection[ProductInput], store_id: int) -> Shelves:
    """Of a name that no category has, one is made that stands in no other."""
    paths = ensure_categories({path for one in products for path in one.categories}, store_id)
    names = {name[:LONGEST] for one in products for name in one.category_names}
    found: dict[str, list[int]] = {name: [] for name in names}
    rows = Category.objects.filter(store=store_id, name__in=names).order_by("pk") if names else ()
    for row in rows:
        found[row.name].append(row.pk)
    made = ensure_categories({(name,) for name, some in found.items() if not some}, store_id)
    return Shelves(paths, found | {name: [row] for (name,), row in made.items()})


def ensure_categories(paths: Iterable[Path], store_id: int) -> dict[Path, int]:
    """Id of each category by its path such as ('Home', 'Kitchen'), parents included."""
    wanted = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    found: dict[Path, int] = {}
    for depth in range(1, max(map(len, wanted), default=0) + 1):
        found |= _level({path for path in wanted if len(path) == depth}, found, store_id)
    return found


def _level(paths: set[Path], found: dict[Path, int], store_id: int) -> dict[Path, int]:
    places = {path: (found.get(path[:-1]), path[-1][:LONGEST]) for path in sorted(paths)}
    Category.objects.bulk_create(
        [Category(store_id=store_id, parent_id=parent, name=name) for parent, name in dict.fromkeys(places.values())],
        ignore_conflicts=True,
    )
    rows = Category.objects.filter(store=store_id, name__in={name for _, name in places.values()}).values_list(
        "parent_id", "name", "id"
    )
    there: dict[tuple[int | None, str], int] = {(parent, name): row for parent, name, row in rows}
    return {path: there[place] for path, place in places.items()}
