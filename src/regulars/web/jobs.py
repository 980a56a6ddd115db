"""What workers can carry out for the lists of these screens."""

from regulars.foundation.pages import bulk
from regulars.web.views.customers import CUSTOMERS
from regulars.web.views.parked import PARKED
from regulars.web.views.rates import RATES

for page in (CUSTOMERS, PARKED, RATES):
    bulk.register(page)
