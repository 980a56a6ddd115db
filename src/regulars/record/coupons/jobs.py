"""What coupons do in the background."""

from regulars.foundation.work.loops import LOOPS, Loop
from regulars.record.coupons.operations.making import make_codes

LOOPS.register("coupons.making", Loop(make_codes, "Hands codes that workflows made up to the shops", idle_seconds=2))
