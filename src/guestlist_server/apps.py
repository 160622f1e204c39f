"""The server's Django app: first run, outbox, health, and the look of the account pages."""

from django.apps import AppConfig


class ServerConfig(AppConfig):
    """The ready-to-run server."""

    name = "guestlist_server"
    default_auto_field = "django.db.models.BigAutoField"
