"""Deliveries from before they knew whom they go to by comparison key."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Lower


def fill(apps: Any, schema_editor: Any) -> None:
    deliveries, invitations = (
        apps.get_model("guestlist", "Delivery"),
        apps.get_model("guestlist", "Invitation"),
    )
    of_invitation = invitations.objects.filter(pk=OuterRef("invitation_id")).values("key")[:1]
    deliveries.objects.filter(key="", recipient="").update(key=Subquery(of_invitation))
    deliveries.objects.filter(key="").update(key=Lower("recipient"))


class Migration(migrations.Migration):
    dependencies = [("guestlist", "0004_delivery")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
