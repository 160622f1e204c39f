"""The server's Django app: first run, outbox, health, and the look of the account pages."""

from django.apps import AppConfig


class ServerConfig(AppConfig):
    """The ready-to-run server."""

    name = "guestlist_server"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks that stop the start on a bad setting."""
        from guestlist_server import mail_webhooks  # noqa: F401  (registers itself)
