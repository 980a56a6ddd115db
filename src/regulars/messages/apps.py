from importlib import import_module

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    """What is said to whom."""

    name = "regulars.messages"
    label = "outbox"  # Django has an app of its own called messages

    def ready(self) -> None:
        import_module("regulars.messages.library")  # ready-made workflows, once all models stand
