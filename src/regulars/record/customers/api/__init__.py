"""Routes of customers, of what happens to them, and of who is who."""

from regulars.record.customers.api import customers, decisions, events

ROUTERS = {
    "/customers": customers.router,
    "/events": events.router,
    "/decisions": decisions.router,
    "/possible-duplicates": decisions.waiting,
}
customers.router.add_router("", decisions.merging)
