"""The demo shop: real orders of a real shop, with made people. A tool of its own, that nothing in the product imports.

What is real: every order, refund and product (UCI Online Retail, see data/README.md), moved to the present by whole weeks.
What is made, by a seeded generator: names, mail addresses, streets, consent, categories, costs, stock, browsing and carts.
"""

SEED = 20111209
"""Everything made follows from this number."""

PLAYED_DAYS = 30
"""So many of the last days are played through the live engine instead of being loaded as history."""
