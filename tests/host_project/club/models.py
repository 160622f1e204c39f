"""A user model with as little as Django allows: UUIDs, no name, no `is_active`, the address in `mail`."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Users(BaseUserManager):
    """Makes users."""

    def create_user(self, mail, password):
        """A user who signs in with the address."""
        user = self.model(mail=mail)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """Signs in with the address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    mail = models.EmailField(unique=True)

    objects = Users()

    EMAIL_FIELD = USERNAME_FIELD = "mail"

    def __str__(self):
        return self.mail
