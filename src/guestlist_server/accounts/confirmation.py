"""`/accounts/confirm-email/`: the code that was mailed to an address, typed by whoever asked for it."""

from allauth.account import app_settings
from allauth.account.views import email_verification_sent
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect


def enter_code(request: HttpRequest) -> HttpResponse:
    """The page for the code; where no mail can be sent there is none to type."""
    if not app_settings.EMAIL_VERIFICATION_BY_CODE_ENABLED:
        return redirect("account_email")
    answer: HttpResponse = email_verification_sent(request)
    return answer


def no_link(request: HttpRequest, key: str) -> HttpResponse:
    """Nothing: no link confirms an address, since whatever reads the mail may open it."""
    raise Http404
