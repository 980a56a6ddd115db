"""Orders by the coupon codes that were used in them."""

from collections.abc import Sequence

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from regulars.foundation.bulk import fetch
from regulars.record.coupons.models import Coupon
from regulars.record.orders.models import Order

WITH_CODE = r"regexp_split_to_array(lower(orders_order.discount_codes), '\s*,\s*') @> ARRAY[%s]::text[]"
_USES = r"""
SELECT c.id, count(o.id) FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS c(id, store_id, name)
JOIN orders_order o ON o.store_id = c.store_id AND o.discount_codes <> ''
    AND regexp_split_to_array(lower(o.discount_codes), '\s*,\s*') @> ARRAY[c.name]
WHERE o.status <> 'cancelled' AND o.payment_status <> 'voided' GROUP BY c.id
"""


def orders_with_coupon(rows: QuerySet[Order], coupon_id: int) -> QuerySet[Order]:
    """Those of the coupon's store in which its code was used."""
    coupon = Coupon.objects.filter(pk=coupon_id).first()
    if coupon is None:
        return rows.none()
    used = RawSQL(WITH_CODE, [coupon.name], output_field=BooleanField())  # noqa: S611  a constant
    return rows.filter(used, store=coupon.store_id).exclude(discount_codes="")


def uses_of_coupons(coupons: Sequence[Coupon]) -> dict[int, int]:
    """How many orders that count each coupon was used in, as the record knows them."""
    columns = [[c.pk for c in coupons], [c.store_id for c in coupons], [c.name for c in coupons]]
    return dict(fetch(_USES, columns)) if coupons else {}
