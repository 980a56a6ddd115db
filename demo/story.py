"""What happens in the demo before anybody looks: the shop's history, then its last days through the live engine, by clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q

from demo import PLAYED_DAYS
from demo.account import ensure_account
from demo.carts import let_go
from demo.files import write_consent, write_customers, write_products
from demo.goods import Good, make_goods
from demo.importing import import_file
from demo.live import Day, happen
from demo.people import Person, make_people
from demo.progress import Line, step
from demo.shop import ZONE, ensure_shop, shift_of
from demo.source import LAST_DAY, Ledger
from demo.workflows import switch_on_workflows
from regulars.connections.files.layouts import Kind
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.insight.conditions.reading import read_condition
from regulars.insight.rfm.operations import compute_months
from regulars.insight.segments.models import Segment
from regulars.insight.segments.operations import refresh, refreshing
from regulars.insight.segments.operations.saving import create_segment
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.segments.ready_made import READY_MADE
from regulars.messages.drive import drive
from regulars.messages.models import Message, MessageState
from regulars.record.events.readers import catch_up

_MORNING, _EVENING, _NIGHT = time(9), time(20), time(23)
_END = "end"
_SEGMENTS = ("cart-abandoners", "one-time-buyers", "high-spenders", "won-back", "frequent-returners")


@dataclass
class Told:
    """Which chapters are done: kept in the database, so that an interrupted story goes on and a finished one is not told again."""

    at: datetime

    def has(self, chapter: str) -> bool:
        return chapter in read_setting("demo.done")

    def add(self, chapter: str) -> None:
        write_setting("demo.done", [*read_setting("demo.done"), chapter], self.at)


@dataclass
class Scene:
    """What every chapter needs."""

    ledger: Ledger
    people: list[Person]
    goods: list[Good]
    store: Store
    shift: timedelta
    folder: Path
    now: datetime

    @property
    def first_played(self) -> date:
        """First day, in the ledger's own time, that is played and not history."""
        return LAST_DAY - timedelta(days=PLAYED_DAYS - 1)

    def moment(self, day: date, at: time) -> datetime:
        """A time of a day of the ledger, moved to the present, in the shop's zone."""
        return datetime.combine(day + self.shift, at, ZONE)


def tell(now: datetime, lines: int | None = None) -> None:
    """The whole story, from where it stands. ``lines`` takes a slice of the shop."""
    home = Path(settings.HOME)
    (home / "demo").mkdir(parents=True, exist_ok=True)
    ensure_account(home, now)
    told = Told(now)
    if told.has(_END):
        return
    scene = _set_scene(now, lines, home / "demo")
    for chapter, play in _chapters(scene):
        if not told.has(chapter):
            play()
            told.add(chapter)
    told.add(_END)


def _set_scene(now: datetime, lines: int | None, folder: Path) -> Scene:
    with step("Reading the shop's ledger") as line:
        ledger = Ledger.read(lines)
        store = ensure_shop(now)
        shift = shift_of(now)
        people = make_people(ledger.shoppers())
        goods = make_goods(ledger.articles())
        line.note = f"{sum(map(len, ledger.days.values())):,} lines, {len(people):,} customers, moved by {shift.days // 7} weeks"
    return Scene(ledger, people, goods, store, shift, folder, now)


def _chapters(scene: Scene) -> list[tuple[str, Callable[[], None]]]:
    """Chapters in their order. A chapter that was begun and not finished is played again: everything in it is idempotent."""
    last = scene.now.astimezone(ZONE).date() - scene.shift
    days = [scene.first_played + timedelta(days=n) for n in range((last - scene.first_played).days + 1)]
    return [
        ("goods", lambda: _goods(scene)),
        ("people", lambda: _history_people(scene)),
        ("history", lambda: _history(scene)),
        ("scores", lambda: _scores(scene)),
        ("workflows", lambda: _workflows(scene)),
        *((f"day {day + scene.shift}", lambda day=day: _day(scene, day)) for day in days),
        ("segments", lambda: _segments(scene)),
    ]


def _goods(scene: Scene) -> None:
    with step("Products, with made categories, costs and stock") as line:
        path = scene.folder / "products.csv"
        write_products(path, scene.goods)
        import_file(path, Kind.PRODUCTS, scene.store, scene.now, line)


def _history_people(scene: Scene) -> None:
    start = datetime.combine(scene.first_played, time(0))
    people = [p for p in scene.people if p.first_at < start]
    with step("Customers, with made names and addresses") as line:
        _import_people(scene, people, line)


def _import_people(scene: Scene, people: list[Person], line: Line) -> None:
    customers, consent = scene.folder / "customers.csv", scene.folder / "consent.csv"
    if write_customers(customers, people, scene.shift):
        import_file(customers, Kind.CUSTOMERS, scene.store, scene.now, line)
    if write_consent(consent, people, scene.shift):
        import_file(consent, Kind.CONSENT, scene.store, scene.now, line)


def _history(scene: Scene) -> None:
    days = [day for day in sorted(scene.ledger.days) if day < scene.first_played]
    path = scene.folder / "orders.csv"
    if not scene.ledger.write(path, days, scene.shift):
        return
    with step("Orders up to a month ago") as line:
        import_file(path, Kind.ORDERS, scene.store, scene.now, line)


def _scores(scene: Scene) -> None:
    at = scene.moment(scene.first_played, time(0))
    with step("RFM at the start of each month, and the first segments") as line:
        months = compute_months(at)
        initial = refresh(at).initial
        line.note = f"{len(months)} months, {sum(initial.values()):,} memberships"


def _workflows(scene: Scene) -> None:
    with step("Workflows") as line:
        line.note = ", ".join(switch_on_workflows(scene.moment(scene.first_played, time(0))))


def _segments(scene: Scene) -> None:
    """Some that come ready made, computed with all that was played; from then on the house keeps them right."""
    with step("Segments by conditions") as line:
        catch_up([CONDITIONS], scene.now)
        for ready in (READY_MADE[key] for key in _SEGMENTS if not Segment.objects.filter(key=key).exists()):
            made = create_segment(
                str(ready.name),
                read_condition(ready.where),
                None,
                scene.now,
                key=ready.key,
                description=str(ready.meaning),
            )
            refreshing.refresh(made, lambda: scene.now)
        line.note = ", ".join(f"{name} {count:,}" for name, count in _members())


def _members() -> list[tuple[str, int]]:
    inside = Count("memberships", filter=Q(memberships__left_at=None))
    return list(
        Segment.objects.filter(key__in=_SEGMENTS).annotate(inside=inside).order_by("pk").values_list("name", "inside")
    )


def _day(scene: Scene, day: date) -> None:
    """One day by clock: what was due in the morning, the day's orders in the evening, scores and segments at night."""
    with step(f"Playing {day + scene.shift:%A %d %B}") as line:
        before = Message.objects.filter(state=MessageState.SENT).count()
        orders = 0
        if scene.moment(day, _MORNING) <= scene.now:
            drive(scene.moment(day, _MORNING))
        if day in scene.ledger.days:
            orders = _live_orders(scene, day)
        night = min(scene.moment(day, _NIGHT), scene.now)
        let_go(night)
        moved = sum(refresh(night).entered.values())
        drive(night)
        mails = Message.objects.filter(state=MessageState.SENT).count() - before
        line.note = f"{orders:,} orders, {moved:,} customers changed segment, {mails:,} mails sent"


def _live_orders(scene: Scene, day: date) -> int:
    people = scene.people
    new, known = [p for p in people if p.first_at.date() == day], [p for p in people if p.first_at.date() < day]
    happening = Day(day, scene.ledger.days[day], new, known, scene.goods)
    return happen(scene.ledger.header, happening, scene.store, scene.shift, scene.moment(day, _EVENING)).created
