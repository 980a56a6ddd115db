"""``python -m demo.prepare``: fills the database with the demo's story, once; an interrupted run goes on where it stopped."""

import argparse
import sys
from pathlib import Path

import django
from django.conf import settings

django.setup()

from demo.story import tell  # noqa: E402  models need the settings
from demo.tracking import connect_web_shop  # noqa: E402
from regulars.foundation.clock import now  # noqa: E402
from regulars.foundation.errors import RegularsError  # noqa: E402


def main() -> int:
    """Exit code 1 with one sentence when something stands in the way, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.prepare", description=__doc__)
    parser.add_argument("--lines", type=int)
    parser.add_argument("--shop", default="", help="address at which the web shop will be")
    given = parser.parse_args()
    try:
        tell(now(), given.lines)
        if given.shop:
            connect_web_shop(given.shop, Path(settings.HOME), now())
    except RegularsError as error:
        sys.stderr.write(f"\n{error.sentence}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
