"""``python -m fakes <platform>``: a shop of a platform that never was, to try a connection by hand, until Ctrl-C."""

import argparse
import sys
import threading
from importlib import import_module

_PLATFORMS = ("shopify", "woocommerce")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fakes", description=__doc__)
    parser.add_argument("platform", choices=_PLATFORMS)
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    served = import_module(f"fakes.{given.platform}.trying").serve(given.port, given.orders, given.seed)
    sys.stdout.write(served.notice + "\nCtrl-C ends it.\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        served.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
