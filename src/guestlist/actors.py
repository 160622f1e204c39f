"""Who does it, and through which door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal

ActorType = Literal["user", "api_key", "operator", "system", "invitee"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. `door` is web, api, cli or worker."""

    door: str = "cli"
    ip: str | None = None
    user_agent: str = ""

    @classmethod
    def of_request(cls, door: str, meta: Mapping[str, Any]) -> "Origin":
        """From a request's WSGI environment, in a form that every database stores."""
        agent = str(meta.get("HTTP_USER_AGENT", ""))[:200]
        return cls(door, _ip(str(meta.get("REMOTE_ADDR", ""))), "".join(c for c in agent if c.isprintable()))


def _ip(text: str) -> str | None:
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. `subject` is the user or the ApiKey row behind it, if there is one."""

    type: ActorType
    id: str | None = None
    name: str = ""
    email: str = ""
    origin: Origin = field(default_factory=Origin)
    subject: Any = None

    @classmethod
    def user(cls, user: Any, *, origin: Origin) -> "Actor":
        """Somebody who is signed in."""
        full_name = getattr(user, "get_full_name", str)  # not every user model has one
        name = getattr(user, "name", "") or full_name() or user.get_username()
        email = getattr(user, user.get_email_field_name(), "") or ""
        return cls("user", str(user.pk), name, email, origin, user)

    @classmethod
    def operator(cls, *, door: str = "cli") -> "Actor":
        """Whoever runs commands on the server: every permission."""
        return cls("operator", None, "Operator", origin=Origin(door))

    @classmethod
    def system(cls, *, door: str = "worker") -> "Actor":
        """Nobody: time passed, or a mail server answered."""
        return cls("system", None, "Guestlist", origin=Origin(door))

    @classmethod
    def invitee(cls, email: str, *, origin: Origin) -> "Actor":
        """Somebody without an account who holds an invitation."""
        return cls("invitee", None, email, email, origin)

    @property
    def maker(self) -> Any:
        """The user behind it: of a key, who made it. What either makes is theirs, and ends with them."""
        if self.type == "api_key":
            return self.subject.created_by
        return self.subject if self.type == "user" else None

    def as_resource(self) -> dict[str, Any]:
        """The actor as REST shows it."""
        return {"type": self.type, "id": self.id, "name": self.name}
