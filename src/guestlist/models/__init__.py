"""State: what is so, and what can never be so. No rule across nouns."""

from guestlist.models.api_key import ApiKey
from guestlist.models.delivery import Delivery
from guestlist.models.domain import Domain
from guestlist.models.event import Event
from guestlist.models.former_slug import FormerSlug
from guestlist.models.headcount import Headcount
from guestlist.models.idempotent_answer import IdempotentAnswer
from guestlist.models.invitation import Invitation
from guestlist.models.join_link import JoinLink
from guestlist.models.join_request import JoinRequest
from guestlist.models.mail_queue import MailQueue, Tally
from guestlist.models.membership import Membership
from guestlist.models.organization import Organization
from guestlist.models.quota import Quota
from guestlist.models.role import Role
from guestlist.models.setup_link import SetupLink
from guestlist.models.suppression import Suppression
from guestlist.models.webhook import Webhook
from guestlist.models.webhook_delivery import WebhookDelivery

__all__ = [
    "ApiKey",
    "Delivery",
    "Domain",
    "Event",
    "FormerSlug",
    "Headcount",
    "IdempotentAnswer",
    "Invitation",
    "JoinLink",
    "JoinRequest",
    "MailQueue",
    "Membership",
    "Organization",
    "Quota",
    "Role",
    "SetupLink",
    "Suppression",
    "Tally",
    "Webhook",
    "WebhookDelivery",
]
