"""What can be asked of customers. Everything that opens sealed data says so in its name (``read_``)."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.shop.models import Store
from regulars.foundation.vault import keys
from regulars.record.customers.contacts import ContactCard, query_tokens
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import (
    AttributeValue,
    ContactVersion,
    Customer,
    CustomerCard,
    CustomerProfile,
    Identity,
    IdentityKind,
    IdentityLink,
    Note,
    Profile,
    StoreCard,
    Tag,
    TagEntry,
    Trust,
)

_OWNERS = "SELECT profile_id, customer_id FROM customers_customerprofile WHERE profile_id = ANY(%s) AND until_batch_id IS NULL"


def customers_of(profile_ids: Iterable[int]) -> dict[int, int]:
    """Present customer of each profile."""
    wanted = list(set(profile_ids))
    return dict(fetch(_OWNERS, [wanted])) if wanted else {}


def customer_of(profile_id: int) -> int:
    return customers_of([profile_id])[profile_id]


def confirmed_among(profile_ids: Collection[int]) -> set[int]:
    """Those whose customer is known by more than claims and ids of devices: nothing that is only claimed may change them."""
    owners = customers_of(profile_ids)
    members = CustomerProfile.objects.filter(customer__in=set(owners.values()), until_batch=None)
    known = members.filter(
        Exists(
            IdentityLink.objects.filter(profile=OuterRef("profile"), trust=Trust.CONFIRMED).exclude(
                identity__kind=IdentityKind.ANONYMOUS_ID
            )
        )
    )
    customers = set(known.values_list("customer_id", flat=True))
    return {profile for profile, customer in owners.items() if customer in customers}


def only_claimed(addresses: Collection[tuple[bytes, int]]) -> dict[tuple[bytes, int], bool]:
    """Of blind indexes of addresses at profiles: whether it was only claimed there. Left out where nobody said that it is theirs."""
    rows = fetch(_CLAIMED, [[address for address, _ in addresses], [profile for _, profile in addresses]])
    return {(bytes(address), profile): is_only for address, profile, is_only in rows}


_CLAIMED = """
SELECT i.token, l.profile_id, bool_and(l.trust = 'claimed') FROM unnest(%s::bytea[], %s::bigint[]) AS w(token, profile_id)
JOIN customers_identitylink l ON l.profile_id = w.profile_id JOIN customers_identity i ON i.id = l.identity_id AND i.token = w.token
GROUP BY i.token, l.profile_id
"""


Stores = Collection[int] | None  # those that the viewer is limited to; None: all, as ``Viewer.store_ids``


def profiles_of(customer_ids: Iterable[int], store_ids: Stores = None) -> dict[int, list[int]]:
    """Present profiles of each customer, oldest first; customers without any (merged away) are left out.

    With ``store_ids`` only what these stores know of them: whoever is limited to a store sees a customer through it only.
    """
    stores = None if store_ids is None else list(store_ids)
    found: dict[int, list[int]] = {}
    for customer, profile in fetch(_MEMBERS, {"customers": list(set(customer_ids)), "stores": stores}):
        found.setdefault(customer, []).append(profile)
    return found


_MEMBERS = """
SELECT m.customer_id, m.profile_id FROM customers_customerprofile m
WHERE m.customer_id = ANY(%(customers)s) AND m.until_batch_id IS NULL AND (%(stores)s::bigint[] IS NULL OR EXISTS (
    SELECT 1 FROM customers_profile p WHERE p.id = m.profile_id AND p.store_id = ANY(%(stores)s::bigint[])))
ORDER BY m.profile_id
"""


def get_customer(public_id: str) -> Customer:
    """By public id; an id that was merged into another customer leads there. Raises NotFound."""
    customer = Customer.objects.filter(uid=from_public(Customer.PREFIX, public_id)).first()
    if customer is None:
        raise NotFound(f"There is no customer {public_id}")
    return _successor(customer)


def _successor(customer: Customer) -> Customer:
    """Follows the map of the customer's former profiles to where they are now."""
    if CustomerProfile.objects.filter(customer=customer, until_batch=None).exists():
        return customer
    former = CustomerProfile.objects.filter(customer=customer).order_by("profile_id").values("profile_id")[:1]
    now = CustomerProfile.objects.filter(profile__in=former, until_batch=None).select_related("customer").first()
    return now.customer if now else customer


def read_cards(customer_ids: Collection[int], store_ids: Stores = None) -> dict[int, ContactCard]:
    """Newest contact data of these customers, opened; an empty card where there is none or the person was erased."""
    found = _newest_cards(customer_ids) if store_ids is None else _newest_cards_of_stores(customer_ids, store_ids)
    plain = keys.find_keys(profile for _, profile, _, _ in found)
    opened = {
        customer: ContactCard.from_bytes(
            unseal(plain[profile], bytes(card), Cell("customers_contactversion", "card", version))
        )
        for customer, profile, version, card in found
        if profile in plain
    }
    return {customer: opened.get(customer, ContactCard()) for customer in customer_ids}


Sealed = tuple[int, int, int, bytes]  # customer, profile, version and card


def _newest_cards(customer_ids: Collection[int]) -> list[Sealed]:
    rows = CustomerCard.objects.filter(customer__in=set(customer_ids), contact__isnull=False)
    found = rows.values_list("customer_id", "contact__profile_id", "contact_id", "contact__card")
    return [(customer, profile, version, bytes(card)) for customer, profile, version, card in found]


def _newest_cards_of_stores(customer_ids: Collection[int], store_ids: Collection[int]) -> list[Sealed]:
    owners = {p: customer for customer, some in profiles_of(customer_ids, store_ids).items() for p in some}
    versions = ContactVersion.objects.filter(profile__in=owners).order_by("occurred_at", "id")
    newest = {owners[v.profile_id]: (owners[v.profile_id], v.profile_id, v.pk, bytes(v.card)) for v in versions}
    return list(newest.values())


@dataclass(frozen=True)
class KnownIdentity:
    """One identity of a customer, opened, with its evidence."""

    kind: str
    scope: str
    value: str
    trust: str
    evidence: str
    occurred_at: datetime
    profile_id: int


def read_identities(customer_id: int, store_ids: Stores = None) -> list[KnownIdentity]:
    """All identities of a customer, oldest first."""
    return read_identities_of(profiles_of([customer_id], store_ids).get(customer_id, []))


def read_identities_of(profiles: Collection[int]) -> list[KnownIdentity]:
    """As ``read_identities``, of these profiles."""
    plain = keys.find_keys(profiles)
    links = IdentityLink.objects.filter(profile__in=plain).select_related("identity").order_by("occurred_at", "id")
    return [
        KnownIdentity(
            link.identity.kind,
            link.identity.scope,
            unseal(
                plain[link.profile_id], bytes(link.value), Cell("customers_identitylink", "value", link.id)
            ).decode(),
            link.trust,
            link.evidence,
            link.occurred_at,
            link.profile_id,
        )
        for link in links
    ]


@dataclass(frozen=True)
class KnownNote:
    """A note, opened."""

    row: Note
    text: str


def read_notes(customer_id: int, store_ids: Stores = None) -> list[KnownNote]:
    """Notes of a customer, newest first; those of erased profiles and removed ones are left out."""
    profiles = profiles_of([customer_id], store_ids).get(customer_id, [])
    plain = keys.find_keys(profiles)
    notes = Note.objects.filter(profile__in=plain, removed_at=None).order_by("-occurred_at", "-id")
    return [
        KnownNote(n, unseal(plain[n.profile_id], bytes(n.text), Cell("customers_note", "text", n.id)).decode())
        for n in notes
    ]


def read_attributes(customer_id: int, store_ids: Stores = None) -> dict[str, Any]:
    """Present properties of a customer by name."""
    profiles = profiles_of([customer_id], store_ids).get(customer_id, [])
    plain = keys.find_keys(profiles)
    rows = AttributeValue.objects.filter(profile__in=plain).order_by("name", "-occurred_at", "-id").distinct("name")
    values = {row.name: _open_attribute(row, plain) for row in rows}
    return {name: value for name, value in values.items() if value is not None}


def read_own_attributes(profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What was last said of each of these profiles itself, by name; None where it was taken away."""
    if not profile_ids:
        return {}
    plain = keys.find_keys(profile_ids)
    newest = ("profile_id", "name", "-occurred_at", "-id")
    rows = AttributeValue.objects.filter(profile__in=plain).order_by(*newest).distinct("profile_id", "name")
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row.profile_id, {})[row.name] = _open_attribute(row, plain)
    return found


def _open_attribute(row: AttributeValue, plain: dict[int, bytes]) -> Any:
    if row.sealed is None:
        return row.clear
    return json.loads(
        unseal(plain[row.profile_id], bytes(row.sealed), Cell("customers_attributevalue", "sealed", row.id))
    )


def tags_of(customer_id: int, store_ids: Stores = None) -> list[str]:
    return tags_of_all([customer_id], store_ids).get(customer_id, [])


def tags_of_all(customer_ids: Collection[int], store_ids: Stores = None) -> dict[int, list[str]]:
    """Names of each customer's tags, sorted; customers without any are left out. Two queries, however many they are."""
    tagged: dict[int, set[int]] = {}
    cards = cards_seen(store_ids).filter(customer__in=set(customer_ids)).exclude(tags=[])
    for customer, tags in cards.values_list("customer_id", "tags"):
        tagged.setdefault(customer, set()).update(tags)
    names = dict(Tag.objects.filter(pk__in=set().union(*tagged.values())).values_list("pk", "name"))
    return {customer: sorted(names[tag] for tag in tags) for customer, tags in tagged.items()}


def list_tags(store_ids: Stores = None) -> list[str]:
    """Tags that somebody has or had."""
    entries = TagEntry.objects.all()
    if store_ids is not None:
        entries = entries.filter(profile__store__in=store_ids)
    return list(Tag.objects.filter(id__in=entries.values("tag_id")).order_by("name").values_list("name", flat=True))


def cards_seen(store_ids: Stores) -> QuerySet[Any]:
    """One card of each customer, or one of each customer and store where the viewer is limited to some."""
    if store_ids is None:
        return CustomerCard.objects.all()
    return StoreCard.objects.filter(store__in=store_ids)


def visible_cards(store_ids: Stores) -> QuerySet[CustomerCard]:
    """Customers of whom these stores know something; what the cards themselves say is of all stores."""
    rows = CustomerCard.objects.all()
    return rows if store_ids is None else rows.filter(pk__in=cards_seen(store_ids).values("customer_id"))


def found_by(text: str, store_ids: Stores = None) -> Q:
    """Condition on cards: an exact identity, or names and mails that begin so, as far as these stores know them."""
    search = parse_search(text, list(Store.objects.values_list("code", flat=True)), store_ids)
    condition = Q(pk__in=search.customer_ids)
    if not search.tokens:
        return condition
    begun = Q(tokens__contains=list(search.tokens))
    if store_ids is not None:
        own = cards_seen(store_ids).filter(customer=OuterRef("pk"), tokens__contains=list(search.tokens))
        begun &= Q(Exists(own))
    return condition | begun


def find_profiles(identities: Collection[IdentityInput], store_id: int) -> dict[IdentityInput, int]:
    """The store's profile that each canonical identity names, where there is one."""
    ring = keys.key_ring()
    tokens = {(i.kind.value, i.scope, identity_token(ring, i)): i for i in identities}
    rows = Profile.objects.filter(store=store_id, named_by__token__in={token for _, _, token in tokens})
    named = rows.values_list("named_by__kind", "named_by__scope", "named_by__token", "id")
    found = {(kind, scope, bytes(token)): profile for kind, scope, token, profile in named}
    return {identity: found[name] for name, identity in tokens.items() if name in found}


def find_by_identity(identity: IdentityInput, store_ids: Stores = None) -> list[int]:
    """Customers that an exact identifier leads to, as far as these stores know it."""
    exact = canonical(identity)
    if exact is None:
        return []
    token = identity_token(keys.key_ring(), exact)
    rows = Identity.objects.filter(kind=exact.kind, token=token)
    if exact.scope:
        rows = rows.filter(scope=exact.scope)
    links = IdentityLink.objects.filter(identity__in=rows)
    if store_ids is not None:
        links = links.filter(profile__store__in=store_ids)
    profiles = links.values("profile_id")
    return sorted(
        set(
            CustomerProfile.objects.filter(profile__in=profiles, until_batch=None).values_list("customer_id", flat=True)
        )
    )


@dataclass(frozen=True)
class Search:
    """What was typed, as the database can look for it: exact customers, and tokens that a card must all have."""

    customer_ids: tuple[int, ...]
    tokens: tuple[int, ...]


def parse_search(text: str, store_codes: Sequence[str], store_ids: Stores = None) -> Search:
    """Names and mails by their beginnings (2 to 8 characters of each word); whole mails, phones, shop numbers and cus_ ids exactly."""
    wanted = text.strip()
    exact: set[int] = set()
    if "@" in wanted:
        exact |= set(find_by_identity(IdentityInput(IdentityKind.EMAIL, wanted), store_ids))
    elif wanted.startswith("+"):
        exact |= set(find_by_identity(IdentityInput(IdentityKind.PHONE, wanted), store_ids))
    elif wanted.startswith(f"{Customer.PREFIX}_"):
        exact |= set(Customer.objects.filter(uid=from_public(Customer.PREFIX, wanted)).values_list("id", flat=True))
    elif " " not in wanted:
        for code in store_codes:
            exact |= set(find_by_identity(IdentityInput(IdentityKind.STORE_CUSTOMER, wanted, code), store_ids))
    return Search(tuple(sorted(exact)), tuple(query_tokens(wanted, keys.key_ring())))


def words_of_nobody_else(profile_ids: Collection[int], tokens: Collection[str]) -> set[str]:
    """Those of these tokens of asked words (``contacts.word_token``) that contact data of these profiles hold, and of no others."""
    if not tokens:
        return set()
    bound = {"profiles": list(profile_ids), "tokens": sorted(tokens)}
    return {token for (token,) in fetch(_OF_NOBODY_ELSE, bound)}


_OF_NOBODY_ELSE = """
WITH own AS MATERIALIZED (
    SELECT DISTINCT t.token FROM customers_contactversion c, unnest(string_to_array(array_to_string(c.words, ''), chr(31))) t(token)
    WHERE c.profile_id = ANY(%(profiles)s) AND t.token = ANY(%(tokens)s)
)
SELECT token FROM own WHERE NOT EXISTS (
    SELECT FROM customers_contactversion c
    WHERE c.profile_id <> ALL(%(profiles)s) AND strpos(array_to_string(c.words, ''), chr(31) || token || chr(31)) > 0
)
"""


def stats() -> dict[str, int]:
    """Counts for ``regulars stats``; customers are those who have a profile."""
    members = CustomerProfile.objects.filter(until_batch=None)
    return {
        "profiles": members.count(),
        "customers": members.values("customer_id").distinct().count(),
        "identities": Identity.objects.filter(identitylink__isnull=False).distinct().count(),
    }
