"""What can be done to carts: filled and changed, made one, abandoned by silence, ordered."""

from regulars.record.carts.operations.apply import apply_carts
from regulars.record.carts.operations.ending import let_orders_go, order_carts, settle_carts
from regulars.record.carts.operations.silence import abandon_silent_carts
from regulars.record.carts.operations.uniting import unite_carts

__all__ = ["abandon_silent_carts", "apply_carts", "let_orders_go", "order_carts", "settle_carts", "unite_carts"]
