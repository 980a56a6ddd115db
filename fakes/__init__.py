"""Shops of other platforms that never were: for tests, chaos, measuring and trying by hand. Nothing in the product knows them.

They are written from the platforms' documents and recorded payloads, not from our clients, and refuse whatever those do not know.
"""
