"""The command ``regulars``: Django's commands and those of every module."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.config.settings")
    execute_from_command_line(["regulars", *sys.argv[1:]])
