"""Roles, the gate, sessions, members of staff, tokens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from regulars.foundation.access import operations, tokens
from regulars.foundation.access.gate import public, requires, rule_of, signed_in
from regulars.foundation.access.limits import Limit, TooManyTries, spend
from regulars.foundation.access.middleware import Gate
from regulars.foundation.access.models import ApiToken, StaffMember
from regulars.foundation.access.rules import EVERYBODY, PERMISSIONS, SCOPES, Role, is_session_over, permissions_of
from regulars.foundation.access.sign_in import WrongSignIn, sign_in
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import NotAllowed
from regulars.foundation.shop.models import Brand, Store

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def make(role: Role = Role.OWNER, email: str = "") -> StaffMember:
    member, _ = operations.create_staff(email or f"{role}@shop.example", role, SYSTEM, AT)
    return member


def request_of(member: StaffMember | None, method: str = "GET") -> HttpRequest:
    request = RequestFactory().generic(method, "/somewhere?page=2")
    request.user = member or AnonymousUser()
    request.resolver_match = None
    return request


@requires("customers.view", post="customers.edit")
def example(request: HttpRequest) -> HttpResponse:
    return HttpResponse("here")


def test_the_owner_holds_everything_and_every_role_something() -> None:
    assert permissions_of("owner") == {name for name, _ in PERMISSIONS.items()}
    assert all(permissions_of(role) for role in EVERYBODY)
    assert permissions_of("boss") == frozenset()
    assert not any(name.endswith((".edit", ".manage", ".export", ".erase")) for name in permissions_of("read_only"))


def test_every_scope_gives_a_permission_that_there_is() -> None:
    assert {scope.permission for _, scope in SCOPES.items()} <= {name for name, _ in PERMISSIONS.items()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "method", "status"), [("owner", "POST", 200), ("read_only", "GET", 200), ("agent", "PUT", 405)]
)
def test_a_view_is_open_to_those_that_it_names(role: str, method: str, status: int) -> None:
    assert example(request_of(make(Role(role)), method)).status_code == status


@pytest.mark.django_db
def test_a_refusal_is_audited() -> None:
    member = make(Role.READ_ONLY)
    with pytest.raises(PermissionDenied):
        example(request_of(member, "POST"))
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.actor, entry.details["permission"]) == (
        "access.denied",
        f"staff:{member.pk}",
        "customers.edit",
    )


def test_nobody_is_sent_to_sign_in_and_back() -> None:
    assert example(request_of(None))["Location"] == "/sign-in?next=%2Fsomewhere%3Fpage%3D2"
    assert example(request_of(None, "POST"))["Location"] == "/sign-in"


def test_marks_say_whom_a_view_is_for() -> None:
    rule = rule_of(requires(post="x")(example))
    assert rule is not None
    assert rule.methods == ["POST"]
    assert rule_of(signed_in(lambda request: HttpResponse())).permission("GET") == ""  # type: ignore[union-attr]
    assert rule_of(public("health")(lambda request: HttpResponse())).public == "health"  # type: ignore[union-attr]


def test_an_unmarked_view_is_refused() -> None:
    with pytest.raises(PermissionDenied):
        Gate(lambda request: HttpResponse()).process_view(request_of(None), lambda request: HttpResponse(), (), {})


def test_sessions_end() -> None:
    assert is_session_over(AT, AT + timedelta(hours=11, minutes=59), AT + timedelta(hours=12))
    assert is_session_over(AT, AT, AT + timedelta(minutes=30))
    assert not is_session_over(AT, AT + timedelta(minutes=1), AT + timedelta(minutes=30))


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["role", "off", "password", "sessions"])
def test_sessions_die_with_the_next_request(change: str, client: Client) -> None:
    make()
    member = make(Role.ANALYST)
    client.force_login(member)
    acts: dict[str, Callable[[], object]] = {
        "role": lambda: operations.change_role(member.pk, "agent", SYSTEM, AT),
        "off": lambda: operations.switch_staff(member.pk, False, SYSTEM, AT),
        "password": lambda: operations.reset_password(member.pk, SYSTEM, AT),
        "sessions": lambda: operations.end_sessions(member.pk, SYSTEM, AT),
    }
    request = RequestFactory().get("/")
    request.session = client.session
    assert _user_of(request) == member
    acts[change]()
    request.session = client.session
    assert _user_of(request) is None


def _user_of(request: HttpRequest) -> StaffMember | None:
    user = get_user(request)
    return user if isinstance(user, StaffMember) else None


@pytest.mark.django_db
def test_nobody_changes_their_own_role_and_the_last_owner_stays() -> None:
    owner, other = make(), make(Role.OWNER, "other@shop.example")
    with pytest.raises(operations.NotYourself):
        operations.change_role(owner.pk, "agent", owner.viewer(), AT)
    operations.change_role(other.pk, "agent", owner.viewer(), AT)
    acts: list[Callable[[], object]] = [
        lambda: operations.change_role(owner.pk, "agent", SYSTEM, AT),
        lambda: operations.switch_staff(owner.pk, False, SYSTEM, AT),
    ]
    for act in acts:
        with pytest.raises(operations.LastOwner):
            act()
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == ("owner", True)


@pytest.mark.django_db
def test_only_who_may_manages_staff() -> None:
    manager = make(Role.MANAGER)
    with pytest.raises(NotAllowed):
        operations.create_staff("a@shop.example", "agent", manager.viewer(), AT)
    assert StaffMember.objects.count() == 1


@pytest.mark.django_db
def test_signing_in_rotates_the_session_and_is_the_same_for_unknown_addresses(client: Client) -> None:
    member, password = operations.create_staff("Ann@Shop.example", "agent", SYSTEM, AT)
    request = request_of(None)
    request.session = client.session
    request.session["planted"] = 1
    request.session.save()
    before = request.session.session_key
    for email, wrong in (("ann@shop.example", "x"), ("nobody@shop.example", password), ("ann@shop.example", "a\x00b")):
        with pytest.raises(WrongSignIn) as refused:
            sign_in(request, email, wrong, AT)
        assert refused.value.sentence == "This mail address and password do not go together."
    assert sign_in(request, " ANN@shop.example", password, AT) == member
    assert request.session.session_key != before
    assert "planted" not in request.session


@pytest.mark.django_db
def test_trying_is_limited(client: Client) -> None:
    request = request_of(None)
    request.session = client.session
    for _ in range(10):
        with pytest.raises(WrongSignIn):
            sign_in(request, "a@shop.example", "x", AT)
    with pytest.raises(TooManyTries) as limited:
        sign_in(request, "a@shop.example", "x", AT + timedelta(minutes=9))
    assert limited.value.retry_after == 60
    with pytest.raises(WrongSignIn):
        sign_in(request, "a@shop.example", "x", AT + timedelta(minutes=10))


@pytest.mark.django_db
def test_windows_count_each_by_itself() -> None:
    limit = Limit("test", 2, timedelta(minutes=1))
    assert [spend(limit, "a", AT), spend(limit, "a", AT), spend(limit, "b", AT)] == [1, 0, 1]
    with pytest.raises(TooManyTries):
        spend(limit, "a", AT)


@pytest.mark.django_db
def test_a_token_is_shown_once_and_speaks_for_its_scopes() -> None:
    token, text = tokens.create_token(
        "sync", ["customers:read", "orders:write"], SYSTEM, AT, expires_at=AT + timedelta(days=1)
    )
    viewer = tokens.check_token(text, AT)
    assert viewer.permissions == {"customers.view", "orders.edit"}
    assert viewer.actor == f"token:{token.pk}"
    assert text.split("_", 2)[2].encode() not in bytes(ApiToken.objects.get().secret_hash)
    for wrong in (
        "",
        "reg",
        text[:-1],
        text + "x",
        text.replace("reg_", "rex_"),
        "reg_\x00_\x00",
        "reg_ffffffff_\ud800",
    ):
        with pytest.raises(tokens.BadToken):
            tokens.check_token(wrong, AT)
    with pytest.raises(tokens.BadToken):
        tokens.check_token(text, AT + timedelta(days=1))
    tokens.revoke_token(token.pk, SYSTEM, AT)
    with pytest.raises(tokens.BadToken):
        tokens.check_token(text, AT)


@pytest.mark.django_db
def test_a_token_never_does_more_than_whoever_made_it() -> None:
    make()
    manager = make(Role.MANAGER)
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    _, text = tokens.create_token("mine", ["all"], manager.viewer(), AT)
    operations.change_stores(manager.pk, [store.pk], SYSTEM, AT)
    assert tokens.check_token(text, AT).store_ids == frozenset({store.pk})
    operations.change_role(manager.pk, "analyst", SYSTEM, AT)
    assert "customers.edit" not in tokens.check_token(text, AT).permissions
    operations.switch_staff(manager.pk, False, SYSTEM, AT)
    with pytest.raises(tokens.BadToken):
        tokens.check_token(text, AT)


@pytest.mark.django_db
def test_nobody_makes_a_token_for_what_they_may_not() -> None:
    viewer = Viewer(1, frozenset({"tokens.manage", "customers.view"}))
    with pytest.raises(NotAllowed):
        tokens.create_token("x", ["orders:write"], viewer, AT)
    with pytest.raises(tokens.UnknownScope):
        tokens.create_token("x", ["nonsense"], viewer, AT)
    assert not ApiToken.objects.exists()
