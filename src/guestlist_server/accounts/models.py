"""Somebody who can sign in to the server."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import new_id


class UserManager(BaseUserManager["User"]):
    """Users."""

    def create_user(self, email: str | None, password: str | None = None, **values: Any) -> "User":
        """A user; without a password nobody can sign in with one."""
        user = self.model(email=email or None, **values)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """`email` is the primary address; whether it is verified is allauth's EmailAddress to say.

    It is empty for an account whose only, unverified address was taken by its real owner.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=150)
    email = models.EmailField(max_length=254, unique=True, null=True)  # noqa: DJ001  (several have none)
    # Empty: as the browser says.
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    shortcuts = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(db_default=Now())

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.email or self.name

    def get_full_name(self) -> str:
        """The name as the person wrote it."""
        return self.name


class AddressCode(models.Model):
    """A code mailed to an address that a user wants to add. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    email = models.EmailField(max_length=254)
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    used = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("user", "created_at"), name="address_code_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.email}"
