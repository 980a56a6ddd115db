"""The cached cards of each customer: newest contact data and tags, over all stores and as each store knows them."""

from collections.abc import Callable, Collection

from django.db import connection

# What a device said is a claim: it goes behind whatever else is known, however new it is.
_MEMBERS = """
WITH wanted AS MATERIALIZED (SELECT unnest(%s::bigint[]) AS customer_id),
member AS MATERIALIZED (
    SELECT w.customer_id, m.profile_id, p.store_id, i.kind = 'anonymous_id' AS is_device
    FROM wanted w JOIN customers_customerprofile m ON m.customer_id = w.customer_id AND m.until_batch_id IS NULL
    JOIN customers_profile p ON p.id = m.profile_id JOIN customers_identity i ON i.id = p.named_by_id
),
said AS MATERIALIZED (
    SELECT DISTINCT ON (member.customer_id, member.store_id) member.customer_id, member.store_id, member.is_device, c.*
    FROM member JOIN customers_contactversion c ON c.profile_id = member.profile_id
    ORDER BY member.customer_id, member.store_id, member.is_device, c.occurred_at DESC, c.id DESC
),
put_on AS MATERIALIZED (
    SELECT DISTINCT customer_id, store_id, tag_id FROM (
        SELECT DISTINCT ON (t.profile_id, t.tag_id) member.customer_id, member.store_id, t.tag_id, t.is_on
        FROM member JOIN customers_tagentry t ON t.profile_id = member.profile_id
        ORDER BY t.profile_id, t.tag_id, t.id DESC
    ) latest WHERE is_on
),
"""
# What any store knows finds the customer; whose stores are limited is asked again of their own cards.
_FOLD = f"""
{_MEMBERS}
newest AS (
    SELECT DISTINCT ON (customer_id) * FROM said ORDER BY customer_id, is_device, occurred_at DESC, id DESC
),
token AS (
    SELECT customer_id, array_agg(DISTINCT token ORDER BY token) AS tokens
    FROM said, unnest(said.tokens) AS word(token) GROUP BY customer_id
),
tag AS (SELECT customer_id, array_agg(DISTINCT tag_id ORDER BY tag_id) AS tags FROM put_on GROUP BY customer_id),
store AS (
    SELECT customer_id, array_agg(DISTINCT store_id ORDER BY store_id) AS stores
    FROM member WHERE store_id IS NOT NULL GROUP BY customer_id
),
fold AS (
    SELECT w.customer_id, n.id AS contact_id, coalesce(n.country, '') AS country, coalesce(n.region, '') AS region,
           coalesce(n.postal_area, '') AS postal_area, coalesce(n.language, '') AS language,
           coalesce(n.mail_domain, '') AS mail_domain, coalesce(token.tokens, '{{}}') AS tokens,
           coalesce(tag.tags, '{{}}') AS tags, coalesce(store.stores, '{{}}') AS stores
    FROM wanted w
    LEFT JOIN newest n USING (customer_id) LEFT JOIN token USING (customer_id)
    LEFT JOIN tag USING (customer_id) LEFT JOIN store USING (customer_id)
    WHERE EXISTS (SELECT 1 FROM member WHERE member.customer_id = w.customer_id)
)
"""
_STORE_FOLD = f"""
{_MEMBERS}
tag AS (SELECT customer_id, store_id, array_agg(tag_id ORDER BY tag_id) AS tags FROM put_on GROUP BY 1, 2),
fold AS (
    SELECT m.customer_id, m.store_id, s.id AS contact_id, coalesce(s.country, '') AS country,
           coalesce(s.tokens, '{{}}') AS tokens, coalesce(tag.tags, '{{}}') AS tags
    FROM (SELECT DISTINCT customer_id, store_id FROM member WHERE store_id IS NOT NULL) m
    LEFT JOIN said s USING (customer_id, store_id) LEFT JOIN tag USING (customer_id, store_id)
)
"""
_COLUMNS = "customer_id, contact_id, country, region, postal_area, language, mail_domain, tokens, tags, stores"
_STORE_COLUMNS = "customer_id, store_id, contact_id, country, tokens, tags"
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
WHERE (card.contact_id, card.tokens, card.tags, card.stores)
    IS DISTINCT FROM (EXCLUDED.contact_id, EXCLUDED.tokens, EXCLUDED.tags, EXCLUDED.stores)
"""
_REFRESH_STORES = f"""
{_STORE_FOLD}
INSERT INTO customers_storecard AS card ({_STORE_COLUMNS}) SELECT {_STORE_COLUMNS} FROM fold ORDER BY customer_id, store_id
ON CONFLICT (customer_id, store_id) DO UPDATE SET
    contact_id = EXCLUDED.contact_id, country = EXCLUDED.country, tokens = EXCLUDED.tokens, tags = EXCLUDED.tags
WHERE (card.contact_id, card.tokens, card.tags) IS DISTINCT FROM (EXCLUDED.contact_id, EXCLUDED.tokens, EXCLUDED.tags)
"""
_DROP_STORES = """
DELETE FROM customers_storecard card WHERE customer_id = ANY(%s) AND NOT EXISTS (
    SELECT 1 FROM customers_customerprofile m JOIN customers_profile p ON p.id = m.profile_id
    WHERE m.customer_id = card.customer_id AND m.until_batch_id IS NULL AND p.store_id = card.store_id)
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
_COMPARE_STORES = f"""
{_STORE_FOLD}
SELECT DISTINCT customer_id FROM (SELECT {_STORE_COLUMNS} FROM fold) f
FULL JOIN (SELECT {_STORE_COLUMNS} FROM customers_storecard WHERE customer_id = ANY(%s)) c USING (customer_id, store_id)
WHERE to_jsonb(f) IS DISTINCT FROM to_jsonb(c)
"""
SLICE = 20_000


def refresh_cards(customer_ids: Collection[int]) -> None:
    """Rebuilds the cards of these customers; those without a profile (merged into others) lose theirs."""
    ids = sorted(set(customer_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        for statement in (_RESERVE, _LOCK, _REFRESH, _REFRESH_STORES, _DROP_STORES, _DROP_EMPTY):
            cursor.execute(statement, [ids])


def verify_cards() -> list[int]:
    """Customers whose cached cards are not what their contact data, tags and profiles come to; empty when all is well."""
    different: set[int] = set()

    def compare(ids: list[int]) -> None:
        with connection.cursor() as cursor:
            for statement in (_COMPARE, _COMPARE_STORES):
                cursor.execute(statement, [ids, ids])
                different.update(row[0] for row in cursor.fetchall())

    each_slice(compare)
    return sorted(different)


def each_slice(work: Callable[[list[int]], None], size: int = SLICE) -> None:
    """Hands all customers there are to ``work``, in slices of ascending ids."""
    ids: list[int] = [0]
    with connection.cursor() as cursor:
        while ids:
            cursor.execute("SELECT id FROM customers_customer WHERE id > %s ORDER BY id LIMIT %s", [ids[-1], size])
            ids = [row[0] for row in cursor.fetchall()]
            if ids:
                work(ids)
