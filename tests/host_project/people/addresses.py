"""Which addresses people have proved to own."""

from django.db.models.functions import Lower

from people.models import User


def verified_addresses(user):
    """The user's addresses that are proved."""
    return [user.email] if user.is_active and user.email_is_verified else []


def owners(keys):
    """Lower-case address → id of the user who owns it."""
    users = User.objects.filter(is_active=True, email_is_verified=True).annotate(key=Lower("email"))
    return dict(users.filter(key__in=keys).values_list("key", "pk"))
