"""Checks that stop the start on a setting that cannot work."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from guestlist.conf import conf


@register
def settings_can_be_read(**_: Any) -> list[CheckMessage]:
    """`GUESTLIST` parses; the error names the key."""
    try:
        conf()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="guestlist.E001")]
    return []
