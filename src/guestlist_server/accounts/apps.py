"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The user model of the server."""

    name = "guestlist_server.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep memberships' copies of name and address up to date, the list of sessions whole, and accounts
        with whoever reads their mail.
        """
        from guestlist_server.accounts import copies, recovery, sessions  # noqa: F401  (they connect themselves)
