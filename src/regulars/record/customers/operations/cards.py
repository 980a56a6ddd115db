"""The cached card of each customer: newest contact data, tags and stores of all its profiles."""

from collections.abc import Collection

from django.db import connection

_FOLD = """
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
),
fold AS (
    SELECT w.customer_id, n.id AS contact_id, coalesce(n.country, '') AS country, coalesce(n.region, '') AS region,
           coalesce(n.postal_area, '') AS postal_area, coalesce(n.language, '') AS language,
           coalesce(n.mail_domain, '') AS mail_domain, coalesce(n.tokens, '{}') AS tokens,
           coalesce(tag.tags, '{}') AS tags, coalesce(store.stores, '{}') AS stores
    FROM wanted w
    LEFT JOIN newest n USING (customer_id) LEFT JOIN tag USING (customer_id) LEFT JOIN store USING (customer_id)
    WHERE EXISTS (SELECT 1 FROM member WHERE member.customer_id = w.customer_id)
)
"""
_COLUMNS = "customer_id, contact_id, country, region, postal_area, language, mail_domain, tokens, tags, stores"
# A row for everybody, then its lock: what others wrote of the same customer is waited for, and is in the fold of the next statement.
_RESERVE = """
INSERT INTO customers_customercard (customer_id, country, region, postal_area, language, mail_domain, tokens, tags, stores)
SELECT id, '', '', '', '', '', '{}', '{}', '{}' FROM customers_customer WHERE id = ANY(%s) ORDER BY id
ON CONFLICT (customer_id) DO NOTHING
"""
_LOCK = "SELECT 1 FROM customers_customercard WHERE customer_id = ANY(%s) ORDER BY customer_id FOR NO KEY UPDATE"
_REFRESH = f"""
{_FOLD}
INSERT INTO customers_customercard AS card ({_COLUMNS}) SELECT {_COLUMNS} FROM fold ORDER BY customer_id
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


_COMPARE = f"""
{_FOLD}
SELECT customer_id FROM (SELECT {_COLUMNS} FROM fold) f
FULL JOIN (SELECT {_COLUMNS} FROM customers_customercard WHERE customer_id = ANY(%s)) c USING (customer_id)
WHERE to_jsonb(f) - 'customer_id' IS DISTINCT FROM to_jsonb(c) - 'customer_id'
"""
_SLICE = 20_000


def refresh_cards(customer_ids: Collection[int]) -> None:
    """Rebuilds the cards of these customers; those without a profile (merged into others) lose theirs."""
    ids = sorted(set(customer_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        for statement in (_RESERVE, _LOCK, _REFRESH, _DROP_EMPTY):
            cursor.execute(statement, [ids])


def verify_cards() -> list[int]:
    """Customers whose cached card is not what their contact data, tags and profiles come to; empty when all is well."""
    different: list[int] = []
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT id FROM customers_customer WHERE id > %s ORDER BY id LIMIT %s", [last, _SLICE])
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return sorted(different)
            cursor.execute(_COMPARE, [ids, ids])
            different += [row[0] for row in cursor.fetchall()]
            last = ids[-1]
