"""What can be done to carts."""

from regulars.record.carts.operations.apply import abandon_silent_carts, apply_carts, order_carts

__all__ = ["abandon_silent_carts", "apply_carts", "order_carts"]
