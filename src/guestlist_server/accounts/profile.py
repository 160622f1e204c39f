"""`/accounts/profile/`: name, language, time zone, keyboard."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guestlist.actions.members import update_profile
from guestlist.names import MAX_NAME
from guestlist_server.accounts.forms import cleaned_name
from guestlist_server.accounts.models import User
from guestlist_server.middleware import time_zones


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker only
    """What people say about themselves, and how pages look to them."""

    name = forms.CharField(
        label=_("Full name"), max_length=MAX_NAME, widget=forms.TextInput({"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=lambda: [("", _("As the browser says")), *settings.LANGUAGES],
        widget=forms.Select({"class": "select"}),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        required=False,
        max_length=64,
        widget=forms.TextInput({"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("For example Europe/Berlin. Left empty, it is the browser’s."),
    )
    shortcuts = forms.BooleanField(label=_("Keyboard shortcuts"), required=False)

    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "shortcuts")

    def clean_name(self) -> str:
        """A name that may be shown and mailed."""
        return cleaned_name(self.cleaned_data["name"])

    def clean_time_zone(self) -> str:
        """A time zone that there is, however it was written."""
        typed = self.cleaned_data["time_zone"].strip().replace(" ", "_")
        known = {name.lower(): name for name in time_zones()}
        if typed and typed.lower() not in known:
            raise forms.ValidationError(_("There is no such time zone. Choose one from the list."))
        return known.get(typed.lower(), "")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """The page, and what was changed on it."""
    user = get_object_or_404(User, pk=request.user.pk)
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_valid():
        # Only these columns: a password set in another window stays.
        form.save(commit=False).save(update_fields=form.Meta.fields)
        update_profile(user=user)
        if user.language:
            translation.activate(user.language)
        messages.success(request, translation.gettext("Your profile is saved."))
        return redirect("account_profile")
    context = {"form": form, "time_zones": sorted(time_zones())}
    return render(request, "account/profile.html", context, status=422 if form.errors else 200)
