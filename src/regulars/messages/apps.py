from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "regulars.messages"
    label = "outbox"  # Django has an app of its own called messages
