"""What the people of the bench's shop did: orders with lines and refunds, consent, tags, runs and mails; and one of them much of all.

SQL with bound parameters ``count``, ``store``, ``brand``, ``batch``, ``at`` and ``seed``: the same seed makes the same rows before ``at``.
"""

PRODUCTS, BUSY_ORDERS = 5_000, 2_000
_DAYS = 730
_SPAN = _DAYS * 86_400


def _share(expression: str, salt: int) -> str:
    """A number from 0 up to 1 that depends on expression and seed only."""
    return f"((hashint8extended({expression} * 31 + {salt}, %(seed)s) & 1048575) / 1048576.0)"


def _orders(source: str, number: str) -> str:
    placed = f"%(at)s - floor({_share(number, 1)} * {_SPAN}) * interval '1 second'"
    return f"""
INSERT INTO orders_order (uid, store_id, number, external_id, profile_id, channel, placed_at, currency, subtotal_minor, discount_minor,
    shipping_minor, tax_minor, tax_included, total_minor, status, payment_status, fulfilment_status, country, discount_codes, line_count,
    digest, batch_id)
SELECT gen_random_uuid(), %(store)s, 'B' || number, '', profile_id, 'web', placed, 'GBP', amount, 0, 0, 0, true, amount,
    CASE WHEN number %% 33 = 0 THEN 'cancelled' ELSE 'completed' END, 'paid',
    CASE WHEN placed > %(at)s - interval '7 days' AND number %% 4 = 0 THEN 'unfulfilled' ELSE 'fulfilled' END, 'GB', '', 2,
    decode(md5(number::text), 'hex'), %(batch)s
FROM (SELECT {number} AS number, profile_id, {placed} AS placed, 500 + floor({_share(number, 2)} * 16000)::bigint AS amount FROM {source}) o
ORDER BY number"""


# From one to three orders each, every twenty-fifth by a guest; and many by the first customer.
ORDERS = (
    _orders(
        "(SELECT n, k, CASE WHEN (n * 3 + k) %% 25 > 0 THEN n END AS profile_id FROM generate_series(1, %(count)s) n,"
        " generate_series(1, 1 + n %% 3) k) made",
        "(n::bigint * 3 + k)",
    ),
    _orders(f"(SELECT n, 1 AS profile_id FROM generate_series(1, {BUSY_ORDERS}) n) made", "(10000000000 + n)"),
    f"""INSERT INTO orders_orderline (order_id, variant_id, sku, title, quantity, unit_price, discount_minor, tax_minor, total_minor, batch_id)
        SELECT o.id, v, 'P' || v, 'Product ' || v, 1 + o.id %% 3, o.total_minor / 200.0, 0, 0, o.total_minor / 2, %(batch)s
        FROM orders_order o, generate_series(1, 2) k,
             LATERAL (SELECT 1 + floor(power({_share("o.id * 2 + k", 3)}, 2) * {PRODUCTS})::bigint AS v) w""",
    f"""INSERT INTO orders_refund (uid, store_id, number, order_id, profile_id, occurred_at, currency, amount_minor, reason, digest, batch_id)
        SELECT gen_random_uuid(), store_id, 'R' || id, id, profile_id, least(placed_at + interval '5 days', %(at)s), 'GBP',
               1 + floor(total_minor * {_share("id", 4)})::bigint, '', digest, %(batch)s
        FROM orders_order WHERE {_share("id", 5)} < 0.03""",
    """INSERT INTO events_event (position, recorded_at, occurred_at, kind, batch_id, profile_id, shard, subject_id, is_history, data)
       SELECT nextval('events_position'), clock_timestamp(), placed_at, 'order.placed', %(batch)s, profile_id,
              coalesce(profile_id, id) %% 16, id, true,
              jsonb_build_object('number', number, 'line_count', 2, 'total_minor', total_minor, 'currency', 'GBP')
       FROM (SELECT * FROM orders_order ORDER BY placed_at) o""",
)
CATALOG = (
    f"""INSERT INTO catalog_product (id, uid, store_id, key, title, brand_name, status, is_service, url, image_url, occurred_at, batch_id)
        OVERRIDING SYSTEM VALUE
        SELECT n, gen_random_uuid(), %(store)s, 'P' || n, 'Product ' || n, '', 'active', false, '', '', %(at)s, %(batch)s
        FROM generate_series(1, {PRODUCTS}) n""",
    f"""INSERT INTO catalog_variant (id, product_id, sku, title, barcode, batch_id) OVERRIDING SYSTEM VALUE
        SELECT n, n, 'P' || n, '', '', %(batch)s FROM generate_series(1, {PRODUCTS}) n""",
    f"""INSERT INTO catalog_priceentry (variant_id, currency, amount, kind, occurred_at, batch_id)
        SELECT n, 'GBP', 1 + n %% 90, 'list', %(at)s, %(batch)s FROM generate_series(1, {PRODUCTS}) n""",
)
_FIGURES = "currency, order_count, spent_minor, refunded_minor, first_order_at, last_order_at, unconverted_count"
CACHED = (
    f"""INSERT INTO orders_storefigures (customer_id, store_id, {_FIGURES})
        SELECT profile_id, %(store)s, 'GBP', count(placed_at), coalesce(sum(total), 0), coalesce(sum(back), 0), min(placed_at),
               max(placed_at), 0
        FROM (SELECT profile_id, placed_at, total_minor AS total, NULL::bigint AS back FROM orders_order WHERE status <> 'cancelled'
              UNION ALL
              SELECT r.profile_id, NULL, NULL, r.amount_minor FROM orders_refund r JOIN orders_order o ON o.id = r.order_id
              WHERE o.status <> 'cancelled') fact
        WHERE profile_id IS NOT NULL GROUP BY 1 ORDER BY 1""",
    f"""INSERT INTO orders_customerfigures (customer_id, {_FIGURES}) SELECT customer_id, {_FIGURES} FROM orders_storefigures ORDER BY 1""",
)
# Six of ten agreed, one said no, two were imported without proof, one was never asked; one of 200 is left alone, one of 20 has a tag.
SAID = (
    """INSERT INTO consent_consententry (profile_id, brand_id, address, channel, topic, state, method, text_hash, occurred_at, batch_id)
       SELECT n, %(brand)s, decode(md5('mail' || n), 'hex'), 'email', 'marketing',
              CASE WHEN n %% 10 < 6 THEN 'granted' WHEN n %% 10 = 6 THEN 'denied' ELSE 'unknown' END, 'checkout', '', %(at)s, %(batch)s
       FROM generate_series(1, %(count)s) n WHERE n %% 10 < 9""",
    """INSERT INTO consent_donotcontact (profile_id, is_on, occurred_at, batch_id)
       SELECT n, true, %(at)s, %(batch)s FROM generate_series(200, %(count)s, 200) n""",
    "INSERT INTO customers_tag (name) VALUES ('vip'), ('wholesale')",
    """INSERT INTO customers_tagentry (profile_id, tag_id, is_on, occurred_at, batch_id)
       SELECT n, t.id, true, %(at)s, %(batch)s FROM customers_tag t, generate_series(20, %(count)s, 20) n WHERE t.name = 'vip'""",
    """INSERT INTO events_event (position, recorded_at, occurred_at, kind, batch_id, profile_id, shard, subject_id, is_history, data)
       SELECT nextval('events_position'), clock_timestamp(), %(at)s - n * interval '1 day', 'customer.tagged', %(batch)s, 1, 1, 1, true,
              '{"tag": "vip"}' FROM generate_series(1, 700) n""",
)
# One of ten was in the workflow and got a mail, which nobody can open: its content was never rendered. Some are under way.
WRITTEN = (
    """INSERT INTO workflows_run (uid, workflow_id, version_id, customer_id, profile_id, entry_key, entry, slot, state, outcome, node, since,
           steps, visits, wake_at, started_at, ended_at, lease_owner, fence, failures, problem, batch_id)
       SELECT gen_random_uuid(), w.id, w.live_id, n, n, 'membership ' || n, '{}', '', s.state, s.outcome, s.node, began, 4, '{}', s.wake_at,
              began, s.ended_at, '', 1, 0, '', %(batch)s
       FROM workflows_workflow w, generate_series(10, %(count)s, 10) n, LATERAL (SELECT %(at)s - n %% 300 * interval '1 day' AS began) b,
            LATERAL (SELECT CASE WHEN n %% 100 = 0 THEN 'active' ELSE 'ended' END AS state,
                            CASE WHEN n %% 100 = 0 THEN '' ELSE 'completed' END AS outcome,
                            CASE WHEN n %% 100 = 0 THEN 'wait' ELSE 'written-to' END AS node,
                            CASE WHEN n %% 100 = 0 THEN %(at)s + interval '365 days' END AS wake_at,
                            CASE WHEN n %% 100 > 0 THEN began END AS ended_at) s
       WHERE w.key = 'win-back'""",
    """INSERT INTO outbox_message (uid, effect_key, run_id, node, customer_id, profile_id, brand_id, template_id, version_id, channel, topic,
           is_marketing, state, reason, sentence, planned_at, due_at, expires_at, address, context, digest, attempts, lease_owner, fence,
           sending_at, sent_at, reply)
       SELECT gen_random_uuid(), decode(md5('run' || r.id), 'hex'), r.id, 'mail', r.customer_id, r.profile_id, %(brand)s, t.id, t.live_id,
              'email', 'marketing', true, CASE WHEN r.id %% 5 = 0 THEN 'skipped' ELSE 'sent' END, '', '', r.since, r.since, r.since,
              '\\x00', '\\x00', '\\x00', 1, '', 1, r.since, r.since, ''
       FROM workflows_run r, (SELECT * FROM outbox_messagetemplate ORDER BY id LIMIT 1) t WHERE r.state = 'ended'""",
)
