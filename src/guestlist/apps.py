"""The Django app."""

from django.apps import AppConfig


class GuestlistConfig(AppConfig):
    """Guestlist as a Django app: `"guestlist"` in INSTALLED_APPS."""

    name = "guestlist"
    verbose_name = "Guestlist"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks that stop the start on a bad setting."""
        from guestlist import checks  # noqa: F401  (registers itself)
