"""Who reacts to which event: every reader of the log, in one file that can be read in a minute."""

from regulars.connections.base.operations.telling import CONSENTS
from regulars.insight.segments.readers import CONDITIONS, MEMBERSHIPS
from regulars.messages.readers import MERGES as MESSAGES
from regulars.record.carts.readers import SETTLING
from regulars.record.customers.families import families_of
from regulars.record.events.readers import FAMILIES, READERS
from regulars.record.orders.readers import FIGURES
from regulars.workflows.readers import ENTRIES, MERGES

for reader in (
    SETTLING,  # an order, a cart, a merge: which carts are one, and which became orders
    FIGURES,  # a merge or split: fold the figures of the customers again
    MEMBERSHIPS,  # a merge or split: hand memberships to the customer whom their profile belongs to
    CONDITIONS,  # whatever a segment's conditions ask about: decide its people anew
    ENTRIES,  # whatever a workflow starts from: begin its runs
    MERGES,  # a merge or split: of two runs of one workflow the further one stays, the other ends
    CONSENTS,  # somebody said yes or no: connected shops are told
    MESSAGES,  # a merge or split: messages follow their profiles
):
    READERS.register(reader.name, reader)

FAMILIES.register("customers", families_of)  # whose events keep their order together
