"""Who is who, and what we know of them.

A *profile* is what one source knows of a person and never changes; a *customer* is a set of profiles, held by the map ``CustomerProfile``.
Merge and split change that map and nothing else (docs/decisions/0003-who-is-who.md).
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Customer(models.Model):
    """A person, as far as we know: the set of profiles that the map assigns to it."""

    PREFIX: ClassVar[str] = "cus"

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    created_at = models.DateTimeField()  # occurred_at of the first thing that we know of them


class IdentityKind(models.TextChoices):
    """Identifiers that can lead to a profile."""

    EMAIL = "email"
    PHONE = "phone"
    STORE_CUSTOMER = "store_customer"
    USER_ID = "user_id"
    ANONYMOUS_ID = "anonymous_id"
    OTHER = "other"


class Identity(models.Model):
    """An identifier, by its blind index only; ``scope`` is the store or source within which it means something ('' for everywhere)."""

    privacy = {"kind": PrivacyClass.CLEAR, "scope": PrivacyClass.CLEAR, "token": PrivacyClass.TOKEN}

    kind = models.CharField(max_length=20, choices=IdentityKind)
    scope = models.CharField(max_length=60, blank=True)
    token = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "scope", "token"], name="one_identity")]


class Profile(models.Model):
    """What one store (or a source without one) knows of one person, named by the first identity seen there.

    Whatever hangs on a profile was said in its store, so that who is limited to a store is shown its profiles and nothing else.
    """

    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, null=True)
    named_by = models.ForeignKey(
        Identity, on_delete=models.PROTECT, related_name="names", db_index=False
    )  # the constraint is its index
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # see CustomerProfile

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["named_by", "store"], nulls_distinct=False, name="one_profile_of_a_name_in_a_store"
            )
        ]


class CustomerProfile(models.Model):
    """The map profile → customer with its validity on the log; the row without ``until_batch`` is the present one.

    The batch is a row of the same transaction, and batches are never deleted: to have each of thousands of rows a second checked
    for it cost a third of a commit.
    """

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    from_batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile"], condition=models.Q(until_batch__isnull=True), name="one_customer_a_profile"
            ),
        ]


class Trust(models.TextChoices):
    """How much a link is believed: a claim never merges, reads or changes a confirmed customer."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"


class IdentityLink(models.Model):
    """Evidence that an identity belongs to a profile: who said so, when, and how much it is trusted. Append-only."""

    privacy = {"trust": PrivacyClass.CLEAR, "evidence": PrivacyClass.CLEAR, "value": PrivacyClass.SEALED}

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False)  # the constraint is its index
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE)
    trust = models.CharField(max_length=10, choices=Trust)
    evidence = models.TextField()  # 'shop order', 'import', 'staff', ...
    value = models.BinaryField()
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # see CustomerProfile

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "identity", "trust"], name="one_link_of_a_trust")]


class OwnKind(models.Model):
    """A kind of identifier of the shop's own, such as the number of a loyalty card; staff name it before anybody is known by it."""

    privacy = {"name": PrivacyClass.CLEAR, "label": PrivacyClass.CLEAR}

    name = models.SlugField(max_length=40, primary_key=True)  # as the API and files write it
    label = models.CharField(max_length=80)
    created_at = models.DateTimeField()


class ProfileName(models.Model):
    """A name that a trusted source gave a profile. Only ever added to, so that what the guards ask does not depend on order."""

    privacy = {"token": PrivacyClass.TOKEN, "name": PrivacyClass.SEALED}

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False)
    token = models.BinaryField(max_length=16)  # of the folded name
    name = models.BinaryField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "token"], name="one_name_of_a_profile")]


class Buyer(models.Model):
    """A profile that has an order, as orders tell us: a fact for the guards."""

    profile = models.OneToOneField(Profile, on_delete=models.CASCADE, primary_key=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False, db_constraint=False)


class Verdict(models.TextChoices):
    """What staff decided."""

    SAME = "same"
    DIFFERENT = "different"


class Decision(models.Model):
    """Staff's word that profiles are one person, or two; until it is withdrawn. Of those on one pair the latest counts."""

    PREFIX: ClassVar[str] = "dec"
    privacy = {"verdict": PrivacyClass.CLEAR}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    verdict = models.CharField(max_length=10, choices=Verdict)
    staff_id = models.BigIntegerField(null=True)  # none: a program, by its token
    decided_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-decided_at", "-id"], name="decisions_newest")]


class DecisionProfile(models.Model):
    """One profile that a decision is about. Sides 0 and 1 are two people; where all are one, there is side 0 only."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="profiles", db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE)
    side = models.SmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "profile"], name="one_side_of_a_decision")]


class PossibleDuplicate(models.Model):
    """Cached: two customers, by their oldest profiles, whom an identity says to be one and a guard keeps apart. Gone once decided."""

    privacy = {"reason": PrivacyClass.CLEAR}

    low = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+", db_index=False)
    high = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=10)  # rules.Reason
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["low", "high"], name="one_case_of_two")]
        indexes = [models.Index(fields=["-since", "-id"], name="duplicates_newest")]


class ContactVersion(models.Model):
    """What we knew of a person's contact data from then on. The card is a sealed JSON object (``contacts.ContactCard``)."""

    privacy = {
        "card": PrivacyClass.SEALED,
        "country": PrivacyClass.CLEAR,
        "region": PrivacyClass.CLEAR,
        "postal_area": PrivacyClass.CLEAR,
        "language": PrivacyClass.CLEAR,
        "mail_domain": PrivacyClass.CLEAR,
        "tokens": PrivacyClass.TOKEN,
        "words": PrivacyClass.TOKEN,
        "time_zone": PrivacyClass.CLEAR,
    }

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False)
    card = models.BinaryField()
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=60, blank=True)
    postal_area = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=10, blank=True)
    mail_domain = models.CharField(max_length=120, blank=True)
    tokens = ArrayField(models.BigIntegerField(), default=list)
    words = ArrayField(models.TextField(), default=list, db_default=[])  # for conditions: ``contacts.asked_words``
    time_zone = models.CharField(max_length=40, blank=True, db_default="")
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["profile", "-occurred_at", "-id"], name="contact_newest")]


class AttributeValue(models.Model):
    """A property that the shop keeps of a person. Clear only where staff classed the name as not personal; else sealed."""

    privacy = {"name": PrivacyClass.CLEAR, "clear": PrivacyClass.CLEAR, "sealed": PrivacyClass.SEALED}

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False)
    name = models.CharField(max_length=120)
    clear = models.JSONField(null=True)
    sealed = models.BinaryField(null=True)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["profile", "name", "-occurred_at"], name="attribute_newest")]


class AttributeClass(models.Model):
    """Staff's decision whether a property is personal; until there is one, it is sealed."""

    privacy = {"name": PrivacyClass.CLEAR, "guess": PrivacyClass.CLEAR}

    name = models.CharField(max_length=120, primary_key=True)
    is_personal = models.BooleanField(null=True)
    guess = models.CharField(max_length=20, blank=True)


class Tag(models.Model):
    """A word that staff put on customers."""

    privacy = {"name": PrivacyClass.CLEAR}

    name = models.CharField(max_length=60, unique=True)


class TagEntry(models.Model):
    """A tag put on or taken off; the latest entry of a profile and tag says whether it is there."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)
    is_on = models.BooleanField()
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["profile", "tag", "-id"], name="tag_newest")]


class Note(models.Model):
    """What a member of staff wrote about a person."""

    privacy = {"text": PrivacyClass.SEALED}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE)
    text = models.BinaryField()
    staff_id = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)


class CustomerCard(models.Model):
    """Cached fold of a customer's newest contact data and tags, for lists and search; rebuilt by ``operations.refresh_cards``."""

    privacy = {
        "country": PrivacyClass.CLEAR,
        "region": PrivacyClass.CLEAR,
        "postal_area": PrivacyClass.CLEAR,
        "language": PrivacyClass.CLEAR,
        "mail_domain": PrivacyClass.CLEAR,
        "tokens": PrivacyClass.TOKEN,
        "tags": PrivacyClass.CLEAR,
        "stores": PrivacyClass.CLEAR,
    }

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True)
    contact = models.ForeignKey(ContactVersion, on_delete=models.SET_NULL, null=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=60, blank=True)
    postal_area = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=10, blank=True)
    mail_domain = models.CharField(max_length=120, blank=True)
    tokens = ArrayField(models.BigIntegerField(), default=list)
    tags = ArrayField(models.BigIntegerField(), default=list)
    stores = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        indexes = [
            GinIndex(fields=["tokens"], name="card_tokens", fastupdate=False),
            GinIndex(fields=["tags"], name="card_tags", fastupdate=False),
            models.Index(fields=["country", "customer"], name="card_country"),
        ]


class StoreCard(models.Model):
    """As ``CustomerCard``, of what one store knows of the customer: what staff limited to that store are shown.

    A search goes over the customer's card, whose tokens are those of all stores, and is checked here: one large index is enough.
    """

    privacy = {"country": PrivacyClass.CLEAR, "tokens": PrivacyClass.TOKEN, "tags": PrivacyClass.CLEAR}

    pk = models.CompositePrimaryKey("customer_id", "store_id")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="store_cards", db_index=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    contact = models.ForeignKey(ContactVersion, on_delete=models.SET_NULL, null=True)
    country = models.CharField(max_length=2, blank=True)
    tokens = ArrayField(models.BigIntegerField(), default=list)
    tags = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        indexes = [models.Index(fields=["store", "country", "customer"], name="store_card_country")]


class Erasure(models.Model):
    """A person was erased: replayed after a restore. Holds no personal data; profiles are bare numbers by then."""

    privacy = {"profiles": PrivacyClass.CLEAR, "touched": PrivacyClass.CLEAR}

    profiles = ArrayField(models.BigIntegerField())
    staff_id = models.BigIntegerField(null=True)
    erased_at = models.DateTimeField()
    touched = models.JSONField(default=dict)  # rows by table
