"""The cached cards of each customer: newest contact data and tags, over all stores and as each store knows them."""

from collections.abc import Callable, Collection, Mapping

from django.db import connection

from regulars.foundation.bulk import execute, fetch

# What a device said is a claim: it goes behind whatever else is known, however new it is.
_MEMBERS = """
WITH wanted AS MATERIALIZED (SELECT unnest(%(ids)s::bigint[]) AS customer_id),
member AS MATERIALIZED (
    SELECT w.customer_id, m.profile_id, p.store_id, i.kind = 'anonymous_id' AS is_device
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT profile_id, until_batch_id FROM customers_customerprofile WHERE customer_id = w.customer_id OFFSET 0) m
    CROSS JOIN LATERAL (SELECT store_id, named_by_id FROM customers_profile WHERE id = m.profile_id OFFSET 0) p
    CROSS JOIN LATERAL (SELECT kind FROM customers_identity WHERE id = p.named_by_id OFFSET 0) i
    WHERE m.until_batch_id IS NULL
),
said AS MATERIALIZED (
    SELECT DISTINCT ON (member.customer_id, member.store_id) member.customer_id, member.store_id, member.is_device, c.*
    FROM member CROSS JOIN LATERAL (
        SELECT * FROM customers_contactversion WHERE profile_id = member.profile_id ORDER BY occurred_at DESC, id DESC LIMIT 1) c
    ORDER BY member.customer_id, member.store_id, member.is_device, c.occurred_at DESC, c.id DESC
),
put_on AS MATERIALIZED (
    SELECT DISTINCT member.customer_id, member.store_id, t.tag_id
    FROM member CROSS JOIN LATERAL (
        SELECT DISTINCT ON (tag_id) tag_id, is_on FROM customers_tagentry
        WHERE profile_id = member.profile_id ORDER BY tag_id, id DESC) t
    WHERE t.is_on
)
"""
# What any store knows finds the customer; whose stores are limited is asked again of their own cards.
_FOLD = """
SELECT c.customer_id, n.id AS contact_id, coalesce(n.country, '') AS country, coalesce(n.region, '') AS region,
       coalesce(n.postal_area, '') AS postal_area, coalesce(n.language, '') AS language,
       coalesce(n.mail_domain, '') AS mail_domain, coalesce(token.tokens, '{}') AS tokens,
       coalesce(tag.tags, '{}') AS tags, c.stores
FROM (
    SELECT customer_id, coalesce(array_agg(DISTINCT store_id ORDER BY store_id) FILTER (WHERE store_id IS NOT NULL), '{}') AS stores
    FROM member GROUP BY customer_id
) c
LEFT JOIN (
    SELECT DISTINCT ON (customer_id) * FROM said ORDER BY customer_id, is_device, occurred_at DESC, id DESC
) n USING (customer_id)
LEFT JOIN (
    SELECT customer_id, array_agg(DISTINCT token ORDER BY token) AS tokens
    FROM said, unnest(said.tokens) AS word(token) GROUP BY customer_id
) token USING (customer_id)
LEFT JOIN (
    SELECT customer_id, array_agg(DISTINCT tag_id ORDER BY tag_id) AS tags FROM put_on GROUP BY customer_id
) tag USING (customer_id)
"""
_STORE_FOLD = """
SELECT m.customer_id, m.store_id, s.id AS contact_id, coalesce(s.country, '') AS country,
       coalesce(s.tokens, '{}') AS tokens, coalesce(tag.tags, '{}') AS tags
FROM (SELECT DISTINCT customer_id, store_id FROM member WHERE store_id IS NOT NULL) m
LEFT JOIN said s USING (customer_id, store_id)
LEFT JOIN (
    SELECT customer_id, store_id, array_agg(tag_id ORDER BY tag_id) AS tags FROM put_on GROUP BY 1, 2
) tag USING (customer_id, store_id)
"""
_COLUMNS = "customer_id, contact_id, country, region, postal_area, language, mail_domain, tokens, tags, stores"
_STORE_COLUMNS = "customer_id, store_id, contact_id, country, tokens, tags"
_PLAIN = """
INSERT INTO customers_customercard (customer_id, country, region, postal_area, language, mail_domain, tokens, tags, stores)
SELECT id, '', '', '', '', '', '{}', '{}', array_remove(ARRAY[store_id], 0)
FROM unnest(%(ids)s::bigint[], %(stores)s::bigint[]) AS s(id, store_id)
"""
_PLAIN_OF_STORES = """
INSERT INTO customers_storecard (customer_id, store_id, country, tokens, tags)
SELECT id, store_id, '', '{}', '{}' FROM unnest(%(ids)s::bigint[], %(stores)s::bigint[]) AS s(id, store_id) WHERE store_id <> 0
"""
_LOCK = """
SELECT customer_id FROM customers_customercard WHERE customer_id = ANY(%s) ORDER BY customer_id FOR NO KEY UPDATE
"""
_RESERVE = """
INSERT INTO customers_customercard (customer_id, country, region, postal_area, language, mail_domain, tokens, tags, stores)
SELECT DISTINCT customer_id, '', '', '', '', '', '{}'::bigint[], '{}'::bigint[], '{}'::bigint[] FROM customers_customerprofile
WHERE customer_id = ANY(%s) AND until_batch_id IS NULL ORDER BY customer_id
ON CONFLICT (customer_id) DO NOTHING
"""
_REFRESH = f"""
{_MEMBERS},
dropped AS (
    DELETE FROM customers_customercard card WHERE customer_id = ANY(%(ids)s)
    AND NOT EXISTS (SELECT 1 FROM member m WHERE m.customer_id = card.customer_id)
),
dropped_of_stores AS (
    DELETE FROM customers_storecard card WHERE customer_id = ANY(%(ids)s)
    AND NOT EXISTS (SELECT 1 FROM member m WHERE (m.customer_id, m.store_id) = (card.customer_id, card.store_id))
),
of_stores AS (
    INSERT INTO customers_storecard AS card ({_STORE_COLUMNS}) {_STORE_FOLD}
    ON CONFLICT (customer_id, store_id) DO UPDATE SET
        contact_id = EXCLUDED.contact_id, country = EXCLUDED.country, tokens = EXCLUDED.tokens, tags = EXCLUDED.tags
    WHERE (card.contact_id, card.tokens, card.tags) IS DISTINCT FROM (EXCLUDED.contact_id, EXCLUDED.tokens, EXCLUDED.tags)
)
INSERT INTO customers_customercard AS card ({_COLUMNS}) {_FOLD}
ON CONFLICT (customer_id) DO UPDATE SET
    contact_id = EXCLUDED.contact_id, country = EXCLUDED.country, region = EXCLUDED.region, postal_area = EXCLUDED.postal_area,
    language = EXCLUDED.language, mail_domain = EXCLUDED.mail_domain, tokens = EXCLUDED.tokens, tags = EXCLUDED.tags,
    stores = EXCLUDED.stores
WHERE (card.contact_id, card.tokens, card.tags, card.stores)
    IS DISTINCT FROM (EXCLUDED.contact_id, EXCLUDED.tokens, EXCLUDED.tags, EXCLUDED.stores)
"""
_COMPARE = f"""
{_MEMBERS}
SELECT customer_id FROM ({_FOLD}) f
FULL JOIN (SELECT {_COLUMNS} FROM customers_customercard WHERE customer_id = ANY(%(ids)s)) c USING (customer_id)
WHERE to_jsonb(f) - 'customer_id' IS DISTINCT FROM to_jsonb(c) - 'customer_id'
"""
_COMPARE_STORES = f"""
{_MEMBERS}
SELECT DISTINCT customer_id FROM ({_STORE_FOLD}) f
FULL JOIN (SELECT {_STORE_COLUMNS} FROM customers_storecard WHERE customer_id = ANY(%(ids)s)) c USING (customer_id, store_id)
WHERE to_jsonb(f) IS DISTINCT FROM to_jsonb(c)
"""
SLICE = 20_000


def refresh_cards(customer_ids: Collection[int], made: Collection[int] = ()) -> None:
    """Rebuilds the cards of these customers; those without a profile (merged into others) lose theirs.

    A row for everybody, then its lock: what others wrote of the same customer is waited for, and is in the fold of the next
    statement. ``made``: customers that this transaction made, so that nobody else writes their cards.
    """
    ids = sorted(set(customer_ids))
    if not ids:
        return
    there = {row for (row,) in fetch(_LOCK, [ids])}
    if missing := [row for row in ids if row not in there and row not in made]:
        execute(_RESERVE, [missing])
    execute(_REFRESH, {"ids": ids})


def add_plain_cards(stores: Mapping[int, int | None]) -> None:
    """Cards of new customers of whom nothing is known but who they are, by the store that knows it."""
    if stores:
        bound = {"ids": list(stores), "stores": [store or 0 for store in stores.values()]}
        execute(_PLAIN, bound)
        execute(_PLAIN_OF_STORES, bound)


def verify_cards() -> list[int]:
    """Customers whose cached cards are not what their contact data, tags and profiles come to; empty when all is well."""
    different: set[int] = set()

    def compare(ids: list[int]) -> None:
        for statement in (_COMPARE, _COMPARE_STORES):
            different.update(row for (row,) in fetch(statement, {"ids": ids}))

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
