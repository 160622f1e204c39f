"""The sign-up part of the accept page."""

from django.contrib.auth.forms import UserCreationForm
from django.template.loader import render_to_string

from people.models import User


class SignUpForm(UserCreationForm):
    """Username and password; the address is the invited one."""

    class Meta:
        model = User
        fields = ["username"]


def sign_up(request, invitation):
    """The new user, or the HTML that asks for one."""
    user = User(email=invitation.email, email_is_verified=invitation.proves_mailbox)
    form = SignUpForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_valid():
        return form.save()
    return render_to_string("guestlist/sign_up.html", {"form": form}, request)
