"""``python -m regulars`` is the command ``regulars``."""

from regulars.config.cli import main

main()
