"""The cached card of each customer: newest contact data, tags and stores of all its profiles."""

from collections.abc import Collection

from django.db import connection

_REFRESH = """
WITH wanted AS MATERIALIZED (SELECT unnest(%s::bigint[]) AS customer_id),
member AS MATERIALIZED (
    SELECT w.customer_id, m.profile_id, p.store_id
    FROM wanted w JOIN customers_customerprofile m ON m.customer_id = w.customer_id AND m.until_batch_id IS NULL
    JOIN customers_profile p ON p.id = m.profile_id
),
newest AS (
    SELECT DISTINCT ON (member.customer_id) member.customer_id, c.*
    FROM member JOIN customers_contactversion c ON c.profile_id = member.profile_id
    ORDER BY member.customer_id, c.occurred_at DESC, c.id DESC
),
tag AS (
    SELECT customer_id, array_agg(tag_id ORDER BY tag_id) AS tags FROM (
        SELECT DISTINCT ON (member.customer_id, t.tag_id) member.customer_id, t.tag_id, t.is_on
        FROM member JOIN customers_tagentry t ON t.profile_id = member.profile_id
        ORDER BY member.customer_id, t.tag_id, t.id DESC
    ) latest WHERE is_on GROUP BY customer_id
),
store AS (
    SELECT customer_id, array_agg(DISTINCT store_id ORDER BY store_id) AS stores
    FROM member WHERE store_id IS NOT NULL GROUP BY customer_id
)
INSERT INTO customers_customercard AS card
    (customer_id, contact_id, country, region, postal_area, language, mail_domain, tokens, tags, stores)
SELECT w.customer_id, n.id, coalesce(n.country, ''), coalesce(n.region, ''), coalesce(n.postal_area, ''), coalesce(n.language, ''),
       coalesce(n.mail_domain, ''), coalesce(n.tokens, '{}'), coalesce(tag.tags, '{}'), coalesce(store.stores, '{}')
FROM wanted w LEFT JOIN newest n USING (customer_id) LEFT JOIN tag USING (customer_id) LEFT JOIN store USING (customer_id)
WHERE EXISTS (SELECT 1 FROM member WHERE member.customer_id = w.customer_id)
ORDER BY w.customer_id
ON CONFLICT (customer_id) DO UPDATE SET
    contact_id = EXCLUDED.contact_id, country = EXCLUDED.country, region = EXCLUDED.region, postal_area = EXCLUDED.postal_area,
    language = EXCLUDED.language, mail_domain = EXCLUDED.mail_domain, tokens = EXCLUDED.tokens, tags = EXCLUDED.tags,
    stores = EXCLUDED.stores
WHERE (card.contact_id, card.tags, card.stores) IS DISTINCT FROM (EXCLUDED.contact_id, EXCLUDED.tags, EXCLUDED.stores)
"""
_DROP_EMPTY = """
DELETE FROM customers_customercard card WHERE customer_id = ANY(%s)
AND NOT EXISTS (SELECT 1 FROM customers_customerprofile m WHERE m.customer_id = card.customer_id AND m.until_batch_id IS NULL)
"""


def refresh_cards(customer_ids: Collection[int]) -> None:
    """Rebuilds the cards of these customers; those without a profile (merged into others) lose theirs."""
    ids = sorted(set(customer_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, [ids])
        cursor.execute(_DROP_EMPTY, [ids])
