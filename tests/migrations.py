"""``python -m tests.migrations``: every change of a model has its migration."""

import sys

import django
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def list_missing() -> list[str]:
    """Changes of our models that no migration makes, one line each. Asks no database."""
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    return [
        f"{label}: {operation.describe()}"
        for label, migrations in changes.items()
        for migration in migrations
        for operation in migration.operations
    ]


def main() -> int:
    missing = list_missing()
    for line in missing:
        print(line, file=sys.stderr)
    if missing:
        print("These changes of models have no migration: run 'regulars makemigrations'.", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    django.setup()
    sys.exit(main())
