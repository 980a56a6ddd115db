"""What WooCommerce's REST v3 says, in the record's inputs. Pure, and blind to whether a webhook or a page said it."""
