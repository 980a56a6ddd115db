"""A fake Shopify: its Admin GraphQL API, its OAuth and its webhooks, as their documents say.

The API version that it speaks stands in the head of `schema.graphql`.
"""
