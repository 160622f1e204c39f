"""The project's own user model."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Signs in with a username. Whether the address is theirs, the project finds out itself."""

    email_is_verified = models.BooleanField(default=False)
