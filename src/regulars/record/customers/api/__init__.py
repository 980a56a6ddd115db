"""Routes of customers and of what happens to them."""

from regulars.record.customers.api import customers, events

ROUTERS = {"/customers": customers.router, "/events": events.router}
