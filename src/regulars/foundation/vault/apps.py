from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class VaultConfig(AppConfig):
    name = "regulars.foundation.vault"

    def ready(self) -> None:
        load_doors("privacy")
