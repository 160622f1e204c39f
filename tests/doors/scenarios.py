"""The table of scenarios: how things stand, what is done, and what has to come of it.

To add one, write a `Scenario` at the end of the group it fits:

* its `name` is a sentence that says what holds;
* `given` are words of `givens.py` with their addresses, done before the doors are opened;
* `steps` are what somebody does at a door: `Send`, `SendFile`, `Reconcile`, or `revoke`, `resend` and their
  like below;
* `answers` say what each step is answered: numbers by outcome in alphabetical order, or `refused: code`;
* `invitations` are all that Northwind has then, in the order they were made: address, status, and the state
  of each mail to it; then its own language, and how long it lasts where that is not a week;
* `events` are the types written down meanwhile, and told to a webhook, `invitation.` left out; with none, not
  one row may have changed;
* `without` names a door that cannot do it, and says why. All the others are compared.

Steps and answers are written by hand, so that three doors that are wrong in the same way fail too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.doors.doors import Change, Reconcile, Send, SendFile

Step = Send | SendFile | Reconcile | Change
LONG = f"{'v' * 64}@{'.'.join(['d' * 60] * 3)}.school"
LONGER = f"{'v' * 64}@{'.'.join(['d' * 60] * 3)}.schools"
MANY = [f"p{n}@acme.test" for n in range(300)]


@dataclass(frozen=True)
class Scenario:
    """See above."""

    name: str
    steps: Sequence[Step]
    answers: Sequence[str]
    invitations: Sequence[str] = ()
    events: Sequence[str] = ()
    given: Sequence[tuple[str, ...]] = ()
    without: Mapping[str, str] = field(default_factory=dict)


def revoke(email: str) -> Change:
    """The button of a row."""
    return Change("revoke", (email,), one=True)


def resend(email: str) -> Change:
    """The button of a row."""
    return Change("resend", (email,), one=True)


def revoke_these(*emails: str) -> Change:
    """Several at once; none is all that are pending."""
    return Change("revoke", emails)


def resend_these(*emails: str) -> Change:
    """Several at once; none is all that are pending."""
    return Change("resend", emails)


NO_FIELD = {"page": "the form has no field for it: the organization’s settings decide"}
ONE_LINE = {"page": "it has one box, which takes two addresses on a line for two"}

FILE_SAYS_SO = {"command line": "its text is a file, and an empty file is refused in words of its own"}
ANY_SIZE = {"command line": "a file of any size is sent, 10,000 addresses at a time"}

SPELLINGS = (
    Scenario(
        "an address is invited",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "a plus tag is another mailbox",
        [Send(["jane@acme.test", "jane+news@acme.test"])],
        ["2 sent"],
        ["jane@acme.test pending queued", "jane+news@acme.test pending queued"],
        ["sent", "sent"],
    ),
    Scenario(
        "dots tell mailboxes apart",
        [Send("jane.doe@acme.test\njanedoe@acme.test")],
        ["2 sent"],
        ["jane.doe@acme.test pending queued", "janedoe@acme.test pending queued"],
        ["sent", "sent"],
    ),
    Scenario(
        "capitals are kept for sending and do not tell mailboxes apart",
        [Send(["Jane.Doe@Acme.TEST", "JANE.DOE@acme.test"])],
        ["1 duplicate, 1 sent"],
        ["Jane.Doe@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "a domain in another script is written in ASCII",
        [Send(["jürgen@acme.test", "jane@straße.test", "jane@xn--strae-oqa.test"])],
        ["1 duplicate, 1 invalid, 1 sent"],
        ["jane@xn--strae-oqa.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "a name before an address is left out",
        [Send('Jane Doe <jane@acme.test>, "Doe, Bo" <bo@acme.test>; Sue (work) <Sue@ACME.test>')],
        ["3 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued", "Sue@acme.test pending queued"],
        ["sent"] * 3,
    ),
    Scenario(
        "a name that shows another address is refused",
        [Send('"boss@acme.test" <jane@evil.test>\nsue@acme.test')],
        ["1 invalid, 1 sent"],
        ["sue@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "commas, semicolons and lines part addresses",
        [Send("a@acme.test,b@acme.test;c@acme.test\r\nd@acme.test\n\n,, ;\te@acme.test")],
        ["5 sent"],
        [f"{x}@acme.test pending queued" for x in "abcde"],
        ["sent"] * 5,
    ),
    Scenario(
        "the columns of a table that hold addresses are read",
        [Send("Name,Email,City\nJane Doe,jane@acme.test,Oslo\nBo,bo@acme.test,Bonn\n")],
        ["2 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "invisible characters are taken out",
        [Send("ja\u200bne@acme.test\n\ufeffbo@acme.test")],
        ["2 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "quotes around an address are taken off and quotes in it are refused",
        [Send(["'jane@acme.test'", '"bo sy"@acme.test'])],
        ["1 invalid, 1 sent"],
        ["jane@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "an address of 254 characters is invited and one of 255 is not",
        [Send([LONG, LONGER])],
        ["1 invalid, 1 sent"],
        [f"{LONG} pending queued"],
        ["sent"],
    ),
    Scenario(
        "an address that begins with a hyphen is refused and hinders nobody",
        [Send(["-jane@acme.test", "--all-pending", "bo@acme.test"])],
        ["2 invalid, 1 sent"],
        ["bo@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "bad ones hinder no good one",
        [
            Send(
                [
                    "jane@",
                    "@acme.test",
                    "jane",
                    "jane@localhost",
                    "jane@[127.0.0.1]",
                    "a@b@c.test",
                    "bo@acme.test",
                ]
            )
        ],
        ["6 invalid, 1 sent"],
        ["bo@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "only bad ones send nothing",
        [Send(["jane@", "nobody", "x@192.0.2.1"])],
        ["3 invalid"],
    ),
    Scenario(
        "an element that holds two addresses is refused",
        [Send(["a@acme.test b@acme.test", "c@acme.test"])],
        ["1 invalid, 1 sent"],
        ["c@acme.test pending queued"],
        ["sent"],
        without=ONE_LINE,
    ),
    Scenario(
        "an empty text is refused",
        [Send("")],
        ["refused: no_addresses"],
        without=FILE_SAYS_SO,
    ),
    Scenario(
        "white space alone is refused",
        [Send(" \n\t\r\n \u3000 ")],
        ["refused: no_addresses"],
        without=FILE_SAYS_SO,
    ),
    Scenario("separators alone are refused", [Send(",;,\n;;")], ["refused: no_addresses"]),
    Scenario(
        "10,001 addresses are refused and none is invited",
        [Send("\n".join(f"p{n}@acme.test" for n in range(10_001)))],
        ["refused: too_many_addresses"],
        without=ANY_SIZE,
    ),
    Scenario(
        "more than a million characters are refused",
        [Send("jane@acme.test\n" * 66_667)],
        ["refused: input_too_large"],
        without=ANY_SIZE,
    ),
    Scenario(
        "300 addresses are 300 invitations",
        [Send("\n".join(MANY))],
        ["300 sent"],
        [f"{email} pending queued" for email in MANY],
        ["sent"] * 300,
    ),
)

STANDINGS = (
    Scenario(
        "a member is skipped",
        [Send(["MO@acme.test", "jane@acme.test"])],
        ["1 already_member, 1 sent"],
        ["jane@acme.test pending queued"],
        ["sent"],
        given=[("members", "mo@acme.test")],
    ),
    Scenario(
        "only members send nothing",
        [Send("alice@northwind.test, mo@acme.test")],
        ["2 already_member"],
        given=[("members", "mo@acme.test")],
    ),
    Scenario(
        "any verified address of a member is that member",
        [Send(["mo@acme.test", "mo@home.test", "mo@typed.test"])],
        ["2 already_member, 1 sent"],
        ["mo@typed.test pending queued"],
        ["sent"],
        given=[
            ("members", "mo@acme.test"),
            ("also has", "mo@acme.test", "mo@home.test"),
            ("unverified", "mo@acme.test", "mo@typed.test"),
        ],
    ),
    Scenario(
        "whoever accepted is a member",
        [Send(["ann@acme.test"]), revoke("ann@acme.test"), resend("ann@acme.test")],
        ["1 already_member", "refused: not_pending", "refused: not_pending"],
        ["ann@acme.test accepted canceled"],
        given=[("accepted", "ann@acme.test")],
    ),
    Scenario(
        "whoever was removed is invited anew",
        [Send(["mo@acme.test"])],
        ["1 sent"],
        ["mo@acme.test pending queued"],
        ["sent"],
        given=[("removed", "mo@acme.test")],
    ),
    Scenario(
        "whoever has an account is invited like anybody",
        [Send(["guest@acme.test"])],
        ["1 sent"],
        ["guest@acme.test pending queued"],
        ["sent"],
        given=[("account", "guest@acme.test")],
    ),
    Scenario(
        "what is pending in another organization is none of ours",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test pending queued"],
        ["sent"],
        given=[("elsewhere", "jane@acme.test")],
    ),
    Scenario(
        "whoever is invited already is skipped, however it is spelled",
        [Send(["Jane@ACME.test", "bo@acme.test"])],
        ["1 already_invited, 1 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"],
        given=[("pending", "jane@acme.test")],
    ),
    Scenario(
        "sending twice sends once",
        [Send("jane@acme.test, bo@acme.test"), Send("bo@acme.test\njane@acme.test")],
        ["2 sent", "2 already_invited"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "one whose time is over is invited anew",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test expired canceled", "jane@acme.test pending queued"],
        ["expired", "sent"],
        given=[("lapsed", "jane@acme.test")],
    ),
    Scenario(
        "one who was revoked is invited anew",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test revoked canceled", "jane@acme.test pending queued"],
        ["sent"],
        given=[("revoked", "jane@acme.test")],
    ),
    Scenario(
        "one who declined is invited anew",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test declined canceled", "jane@acme.test pending queued"],
        ["sent"],
        given=[("declined", "jane@acme.test")],
    ),
    Scenario(
        "one who asked not to be invited here is skipped",
        [Send(["jane@acme.test", "bo@acme.test"])],
        ["1 sent, 1 suppressed"],
        ["jane@acme.test revoked canceled", "bo@acme.test pending queued"],
        ["sent"],
        given=[("suppressed for", "this", "jane@acme.test")],
    ),
    Scenario(
        "one who asked not to be invited anywhere is skipped",
        [Send(["jane@acme.test"])],
        ["1 suppressed"],
        ["jane@acme.test revoked canceled"],
        given=[("suppressed for", "every", "jane@acme.test")],
    ),
    Scenario(
        "one whose mail came back can be invited again",
        [Send(["bo@acme.test", "jane@acme.test"])],
        ["2 sent"],
        ["jane@acme.test revoked bounced", "bo@acme.test pending queued", "jane@acme.test pending queued"],
        ["sent"] * 2,
        given=[("bounced", "jane@acme.test")],
    ),
    Scenario(
        "one who marked the mail as spam can be invited again",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test revoked complained", "jane@acme.test pending queued"],
        ["sent"],
        given=[("complained", "jane@acme.test")],
    ),
    Scenario(
        "a pending one whose mail came back is invited already",
        [Send(["jane@acme.test"])],
        ["1 already_invited"],
        ["jane@acme.test pending bounced"],
        given=[("bounced and pending", "jane@acme.test")],
    ),
    Scenario(
        "every standing gets its own answer",
        [
            Send(
                "alice@northwind.test, jane@acme.test, sue@acme.test, old@acme.test, new@acme.test, "
                "NEW@acme.test, bad@, it@kept.test"
            )
        ],
        ["1 already_invited, 1 already_member, 1 duplicate, 2 invalid, 2 sent, 1 suppressed"],
        [
            "sue@acme.test revoked canceled",
            "jane@acme.test pending queued",
            "old@acme.test expired canceled",
            "old@acme.test pending queued",
            "new@acme.test pending queued",
        ],
        ["expired", "sent", "sent"],
        given=[
            ("suppressed for", "this", "sue@acme.test"),
            ("pending", "jane@acme.test"),
            ("lapsed", "old@acme.test"),
            ("denying", "kept.test"),
        ],
    ),
)

SETTINGS = (
    Scenario(
        "only allowed domains are invited",
        [Send(["jane@acme.test", "bo@eng.acme.test", "sue@other.test"])],
        ["1 invalid, 2 sent"],
        ["jane@acme.test pending queued", "bo@eng.acme.test pending queued"],
        ["sent"] * 2,
        given=[("allowing", "acme.test", "*.acme.test")],
    ),
    Scenario(
        "what is denied stays denied where it is allowed",
        [Send(["jane@acme.test", "bo@lab.acme.test"])],
        ["1 invalid, 1 sent"],
        ["jane@acme.test pending queued"],
        ["sent"],
        given=[("allowing", "acme.test", "*.acme.test"), ("denying", "lab.acme.test")],
    ),
    Scenario(
        "an organization’s lifetime holds for what is sent",
        [Send(["jane@acme.test"])],
        ["1 sent"],
        ["jane@acme.test pending queued, 36 hours"],
        ["sent"],
        given=[("lasting", "36h")],
    ),
    Scenario(
        "invitations of an organization can last for ever",
        [Send(["jane@acme.test"]), resend("jane@acme.test")],
        ["1 sent", "1 resent"],
        ["jane@acme.test pending canceled queued, never"],
        ["sent", "resent"],
        given=[("lasting", "never")],
    ),
    Scenario(
        "a lifetime that is told holds for these alone, also when they are resent",
        [Send(["jane@acme.test"], lifetime="36H"), resend("jane@acme.test"), Send(["bo@acme.test"])],
        ["1 sent", "1 resent", "1 sent"],
        ["jane@acme.test pending canceled queued, 36 hours", "bo@acme.test pending queued"],
        ["sent", "resent", "sent"],
        without=NO_FIELD,
    ),
    Scenario(
        "a lifetime of no sense sends nothing",
        [Send(["jane@acme.test"], lifetime="30m")],
        ["refused: lifetime_invalid"],
        without=NO_FIELD,
    ),
    Scenario(
        "a language that is told holds for these",
        [Send(["jane@acme.test"], language="de")],
        ["1 sent"],
        ["jane@acme.test pending queued, de"],
        ["sent"],
        without=NO_FIELD,
    ),
    Scenario(
        "a language that nobody has translated sends nothing",
        [Send(["jane@acme.test"], language="xx")],
        ["refused: language_unknown"],
        without=NO_FIELD,
    ),
)

PREVIEWS = (
    Scenario(
        "a preview says what would happen and changes nothing",
        [Send("jane@acme.test, bo@acme.test, BO@acme.test, bad@, mo@acme.test, sue@acme.test", dry_run=True)],
        ["1 already_invited, 1 already_member, 1 duplicate, 1 invalid, 1 suppressed, 1 would_send"],
        ["jane@acme.test pending queued", "sue@acme.test revoked canceled"],
        given=[
            ("members", "mo@acme.test"),
            ("pending", "jane@acme.test"),
            ("suppressed for", "this", "sue@acme.test"),
        ],
    ),
    Scenario(
        "a preview writes down no expiry",
        [Send(["jane@acme.test"], dry_run=True)],
        ["1 would_send"],
        ["jane@acme.test expired queued"],
        given=[("lapsed", "jane@acme.test")],
    ),
    Scenario(
        "a preview knows whose mail came back",
        [Send("jane@acme.test", dry_run=True)],
        ["1 would_send"],
        ["jane@acme.test revoked bounced"],
        given=[("bounced", "jane@acme.test")],
    ),
)

REVOKING = (
    Scenario(
        "a revoked invitation and its mail are over",
        [revoke("jane@acme.test")],
        ["1 revoked"],
        ["jane@acme.test revoked canceled", "bo@acme.test pending queued"],
        ["revoked"],
        given=[("pending", "jane@acme.test", "bo@acme.test")],
    ),
    Scenario(
        "revoking twice is refused the second time",
        [revoke("jane@acme.test"), revoke("jane@acme.test")],
        ["1 revoked", "refused: not_pending"],
        ["jane@acme.test revoked canceled"],
        ["revoked"],
        given=[("pending", "jane@acme.test")],
    ),
    Scenario(
        "revoking what has expired is refused",
        [revoke("jane@acme.test")],
        ["refused: not_pending"],
        ["jane@acme.test expired queued"],
        given=[("lapsed", "jane@acme.test")],
    ),
    Scenario(
        "revoking what was declined is refused",
        [revoke("jane@acme.test")],
        ["refused: not_pending"],
        ["jane@acme.test declined canceled"],
        given=[("declined", "jane@acme.test")],
    ),
    Scenario(
        "revoking what never was is refused",
        [revoke("jane@acme.test"), resend("jane@acme.test")],
        ["refused: not_found", "refused: not_found"],
    ),
    Scenario(
        "another organization’s invitation is not there",
        [revoke("jane@acme.test"), revoke_these("jane@acme.test")],
        ["refused: not_found", "1 not_found"],
        given=[("elsewhere", "jane@acme.test")],
    ),
    Scenario(
        "several are revoked and those that have ended are skipped",
        [
            revoke_these(
                "jane@acme.test", "BO@acme.test", "sue@acme.test", "nobody@acme.test", "old@acme.test"
            )
        ],
        ["1 not_found, 2 not_pending, 2 revoked"],
        [
            "jane@acme.test revoked canceled",
            "bo@acme.test revoked canceled",
            "sue@acme.test declined canceled",
            "old@acme.test expired queued",
        ],
        ["revoked"] * 2,
        given=[
            ("pending", "jane@acme.test", "bo@acme.test"),
            ("declined", "sue@acme.test"),
            ("lapsed", "old@acme.test"),
        ],
    ),
    Scenario(
        "all that are pending are revoked and nothing else",
        [revoke_these()],
        ["2 revoked"],
        [
            "old@acme.test expired queued",
            "no@acme.test declined canceled",
            "jane@acme.test revoked canceled",
            "bo@acme.test revoked canceled",
        ],
        ["revoked"] * 2,
        given=[
            ("lapsed", "old@acme.test"),
            ("declined", "no@acme.test"),
            ("pending", "jane@acme.test", "bo@acme.test"),
        ],
    ),
    Scenario(
        "one that is named twice is revoked once",
        [revoke_these("jane@acme.test", "bo@acme.test", "JANE@acme.test")],
        ["1 duplicate, 2 revoked"],
        ["jane@acme.test revoked canceled", "bo@acme.test revoked canceled"],
        ["revoked"] * 2,
        given=[("pending", "jane@acme.test", "bo@acme.test")],
    ),
    Scenario("where none is pending none is revoked", [revoke_these()], ["nothing"]),
    Scenario(
        "whoever was revoked is sent a new one",
        [
            revoke("jane@acme.test"),
            Send(["JANE@acme.test"]),
            revoke("jane@acme.test"),
            Send("jane@acme.test"),
        ],
        ["1 revoked", "1 sent", "1 revoked", "1 sent"],
        [
            "jane@acme.test revoked canceled",
            "JANE@acme.test revoked canceled",
            "jane@acme.test pending queued",
        ],
        ["revoked", "sent", "revoked", "sent"],
        given=[("pending", "jane@acme.test")],
    ),
)

RESENDING = (
    Scenario(
        "a pending one is sent again and its mail replaced",
        [resend("jane@acme.test"), resend("jane@acme.test")],
        ["1 resent", "1 resent"],
        ["jane@acme.test pending canceled canceled queued"],
        ["resent"] * 2,
        given=[("pending", "jane@acme.test")],
    ),
    Scenario(
        "resending starts the lifetime anew",
        [resend("jane@acme.test"), resend("sue@acme.test")],
        ["1 resent", "1 resent"],
        [
            "jane@acme.test pending canceled queued",
            "bo@acme.test pending queued, 144 hours",
            "sue@acme.test pending canceled queued, 48 hours",
        ],
        ["resent"] * 2,
        given=[
            ("sent yesterday", "jane@acme.test", "bo@acme.test"),
            ("pending for", "48h", "sue@acme.test"),
        ],
    ),
    Scenario(
        "resending an expired one makes a new one",
        [resend("jane@acme.test")],
        ["1 resent"],
        ["jane@acme.test expired canceled", "jane@acme.test pending queued"],
        ["expired", "sent"],
        given=[("lapsed", "jane@acme.test")],
    ),
    Scenario(
        "resending a declined one is refused",
        [resend("jane@acme.test")],
        ["refused: not_pending"],
        ["jane@acme.test declined canceled"],
        given=[("declined", "jane@acme.test")],
    ),
    Scenario(
        "whoever declined and asked is sent a new one",
        [resend("jane@acme.test")],
        ["1 resent"],
        ["jane@acme.test declined canceled", "jane@acme.test pending queued"],
        ["sent"],
        given=[("asking", "jane@acme.test")],
    ),
    Scenario(
        "an expired one of whoever has joined since is not renewed",
        [resend("mo@acme.test"), resend_these("mo@acme.test")],
        ["refused: not_pending", "1 not_pending"],
        ["mo@acme.test expired canceled"],
        ["expired"],
        given=[("lapsed", "mo@acme.test"), ("members", "mo@acme.test")],
    ),
    Scenario(
        "one that is named twice is sent again once",
        [resend_these("jane@acme.test", "jane@acme.test")],
        ["1 duplicate, 1 resent"],
        ["jane@acme.test pending canceled queued"],
        ["resent"],
        given=[("pending", "jane@acme.test")],
    ),
    Scenario(
        "resending only what has ended sends nothing",
        [resend_these("jane@acme.test", "bo@acme.test")],
        ["2 not_pending"],
        ["jane@acme.test revoked canceled", "bo@acme.test declined canceled"],
        given=[("revoked", "jane@acme.test"), ("declined", "bo@acme.test")],
    ),
    Scenario(
        "resending a revoked one is refused",
        [resend("jane@acme.test")],
        ["refused: not_pending"],
        ["jane@acme.test revoked canceled"],
        given=[("revoked", "jane@acme.test")],
    ),
    Scenario(
        "whoever asked for no more mail is sent none",
        [resend("jane@acme.test"), resend_these("jane@acme.test", "bo@acme.test")],
        ["refused: suppressed", "1 resent, 1 suppressed"],
        ["jane@acme.test pending queued", "bo@acme.test pending canceled queued"],
        ["resent"],
        given=[("unwanted", "jane@acme.test"), ("pending", "bo@acme.test")],
    ),
    Scenario(
        "an expired one at a domain that is kept out is not renewed",
        [resend("jane@acme.test"), resend_these("jane@acme.test", "bo@acme.test")],
        ["refused: domain_not_allowed", "1 domain_not_allowed, 1 resent"],
        ["jane@acme.test expired canceled", "bo@acme.test pending canceled queued"],
        ["expired", "resent"],
        given=[("lapsed", "jane@acme.test"), ("pending", "bo@acme.test"), ("denying", "acme.test")],
    ),
    Scenario(
        "a pending one whose mail came back is sent again",
        [resend("jane@acme.test")],
        ["1 resent"],
        ["jane@acme.test pending bounced queued"],
        ["resent"],
        given=[("bounced and pending", "jane@acme.test")],
    ),
    Scenario(
        "several are resent and those that have ended are skipped",
        [
            resend_these(
                "jane@acme.test", "old@acme.test", "no@acme.test", "nobody@acme.test", "ask@acme.test"
            )
        ],
        ["1 not_found, 1 not_pending, 3 resent"],
        [
            "jane@acme.test pending canceled queued",
            "old@acme.test expired canceled",
            "no@acme.test declined canceled",
            "ask@acme.test declined canceled",
            "old@acme.test pending queued",
            "ask@acme.test pending queued",
        ],
        ["expired", "resent", "sent", "sent"],
        given=[
            ("pending", "jane@acme.test"),
            ("lapsed", "old@acme.test"),
            ("declined", "no@acme.test"),
            ("asking", "ask@acme.test"),
        ],
    ),
    Scenario(
        "all that are pending are resent and nothing else",
        [resend_these()],
        ["2 resent"],
        [
            "old@acme.test expired queued",
            "jane@acme.test pending canceled queued",
            "bo@acme.test pending canceled queued",
        ],
        ["resent"] * 2,
        given=[("lapsed", "old@acme.test"), ("pending", "jane@acme.test", "bo@acme.test")],
    ),
)

NO_FORM = {"page": "it has no form for a whole set"}
NO_TEXT = {"REST": "it takes text, and this is none"}
EMPTY_SET = {**NO_FORM, "command line": "nothing given is wrong usage"}

FILES = (
    Scenario(
        "the column that the header names is read",
        [SendFile(b"Name,Email,City\nJane Doe,jane@acme.test,Oslo\nBo,bo@acme.test,Bonn\n")],
        ["2 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "a file of a spreadsheet with a byte order mark is read",
        [SendFile("\ufeffName;E-Mail\r\nZoë;zoe@acme.test\r\nBo;bo@acme.test\r\n".encode())],
        ["2 sent"],
        ["zoe@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "columns parted by tabs are read",
        [SendFile(b"Email\tName\njane@acme.test\tJane\nbo@acme.test\tBo\n")],
        ["2 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "a file of one address to a line is read",
        [SendFile(b"jane@acme.test\nbo@acme.test\n\nJANE@acme.test\n", name="people.txt")],
        ["1 duplicate, 2 sent"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        ["sent"] * 2,
    ),
    Scenario(
        "every standing of those in a file gets its own answer",
        [SendFile(b"email\nmo@acme.test\nJane@acme.test\nbo@\nno@acme.test\nsue@acme.test\n")],
        ["1 already_invited, 1 already_member, 1 invalid, 1 sent, 1 suppressed"],
        [
            "jane@acme.test pending queued",
            "no@acme.test revoked canceled",
            "sue@acme.test pending queued",
        ],
        ["sent"],
        given=[
            ("members", "mo@acme.test"),
            ("pending", "jane@acme.test"),
            ("suppressed for", "this", "no@acme.test"),
        ],
    ),
    Scenario(
        "a file sent twice sends once",
        [SendFile(b"email\njane@acme.test\n"), SendFile(b"email\njane@acme.test\n")],
        ["1 sent", "1 already_invited"],
        ["jane@acme.test pending queued"],
        ["sent"],
    ),
    Scenario(
        "a workbook is refused and nothing is read of it",
        [SendFile(b"PK\x03\x04jane@acme.test", name="people.xlsx")],
        ["refused: file_not_text"],
        without=NO_TEXT,
    ),
    Scenario(
        "an empty file is refused",
        [SendFile(b"\n \n")],
        ["refused: no_addresses"],
        without={"REST": "its text is typed, and refused in words for that"},
    ),
)

RECONCILING = (
    Scenario(
        "who is missing is invited and nobody else touched",
        [Reconcile(["jane@acme.test", "mo@acme.test", "new@acme.test"])],
        ["1 already_invited, 1 already_member, 1 sent"],
        [
            "jane@acme.test pending queued",
            "bo@acme.test pending queued",
            "new@acme.test pending queued",
        ],
        ["sent"],
        given=[("pending", "jane@acme.test", "bo@acme.test"), ("members", "mo@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "pruning revokes what is pending and not in the set",
        [Reconcile("jane@acme.test, new@acme.test", prune=True)],
        ["1 already_invited, 1 revoked, 1 sent"],
        [
            "jane@acme.test pending queued",
            "bo@acme.test revoked canceled",
            "old@acme.test expired queued",
            "new@acme.test pending queued",
        ],
        ["sent", "revoked"],
        given=[("pending", "jane@acme.test", "bo@acme.test"), ("lapsed", "old@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "the same set again changes nothing",
        [Reconcile(["jane@acme.test"], prune=True), Reconcile("JANE@acme.test", prune=True)],
        ["1 revoked, 1 sent", "1 already_invited"],
        ["bo@acme.test revoked canceled", "jane@acme.test pending queued"],
        ["sent", "revoked"],
        given=[("pending", "bo@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "a dry run tells the plan and changes nothing",
        [Reconcile(["jane@acme.test", "new@acme.test"], prune=True, dry_run=True)],
        ["1 already_invited, 1 would_revoke, 1 would_send"],
        ["jane@acme.test pending queued", "bo@acme.test pending queued"],
        given=[("pending", "jane@acme.test", "bo@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "whoever declined is left alone unless they asked",
        [Reconcile(["no@acme.test", "ask@acme.test"])],
        ["1 declined, 1 sent"],
        [
            "no@acme.test declined canceled",
            "ask@acme.test declined canceled",
            "ask@acme.test pending queued",
        ],
        ["sent"],
        given=[("declined", "no@acme.test"), ("asking", "ask@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "where an address is mistyped nothing is revoked",
        [Reconcile(["jane@", "new@acme.test"], prune=True)],
        ["1 invalid, 1 sent"],
        ["bo@acme.test pending queued", "new@acme.test pending queued"],
        ["sent"],
        given=[("pending", "bo@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "of a set each address counts once, and unwanted ones are skipped",
        [Reconcile(["jane@acme.test", "Jane@ACME.test", "no@acme.test"], prune=True)],
        ["1 duplicate, 1 sent, 1 suppressed"],
        ["no@acme.test revoked canceled", "jane@acme.test pending queued"],
        ["sent"],
        given=[("suppressed for", "this", "no@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "a domain that is kept out is in the set all the same",
        [Reconcile(["jane@acme.test", "new@acme.test", "bo@beta.test"])],
        ["1 already_invited, 1 invalid, 1 sent"],
        ["jane@acme.test pending queued", "bo@beta.test pending queued"],
        ["sent"],
        given=[("pending", "jane@acme.test"), ("denying", "acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "10,001 addresses are no set and nothing is revoked",
        [Reconcile("\n".join(f"p{n}@acme.test" for n in range(10_001)), prune=True)],
        ["refused: too_many_addresses"],
        ["bo@acme.test pending queued"],
        given=[("pending", "bo@acme.test")],
        without=NO_FORM,
    ),
    Scenario(
        "the empty set revokes all that are pending",
        [Reconcile([], prune=True)],
        ["2 revoked"],
        ["jane@acme.test revoked canceled", "bo@acme.test revoked canceled"],
        ["revoked"] * 2,
        given=[("pending", "jane@acme.test", "bo@acme.test")],
        without=EMPTY_SET,
    ),
    Scenario(
        "text without any address is no set and nothing is revoked",
        [Reconcile("<html></html>", prune=True), Reconcile("<html></html>")],
        ["refused: no_addresses"] * 2,
        ["bo@acme.test pending queued"],
        given=[("pending", "bo@acme.test")],
        without=NO_FORM,
    ),
)

SCENARIOS = (*SPELLINGS, *STANDINGS, *SETTINGS, *PREVIEWS, *REVOKING, *RESENDING, *FILES, *RECONCILING)
