"""A Postfix of a test's own: Debian's package with another configuration, queue and mailboxes."""

import email
import email.policy
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

DAEMONS = "/usr/lib/postfix/sbin"
NOBODY = 65534
# Whoever else has no mailbox, Postfix finds that out only when it delivers.
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.acme.test
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
smtputf8_enable = no
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = acme.test, guestlist.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/mailboxes
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
"""
MAILBOXES = """
/^person[0-9]+@acme\\.test$/ acme/
/^bounces(\\+[^@]*)?@guestlist\\.test$/ bounces/
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Runs while it is entered. `acme` and `bounces` are its Maildirs."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> "Postfix":
        # Not under pytest's folder, which is closed to the users that Postfix works as.
        self.folder = Path(tempfile.mkdtemp(prefix="guestlist-postfix-", dir="/tmp"))
        try:
            self._write()
            self._run("start")
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run("stop", check=False)
        for _ in range(100):
            if self._run("status", check=False).returncode:
                break
            time.sleep(0.1)
        else:
            self._run("abort", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def acme(self) -> Path:
        return self.folder / "mail/acme"

    @property
    def bounces(self) -> Path:
        return self.folder / "mail/bounces"

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def _write(self) -> None:
        self.folder.chmod(0o755)
        for name, owner in (("queue", 0), ("data", user_id("postfix")), ("mail", NOBODY)):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, owner, -1)
        values = {"folder": self.folder, "daemons": DAEMONS, "nobody": NOBODY, "port": self.port}
        (self.folder / "main.cf").write_text(MAIN.format(**values))
        (self.folder / "master.cf").write_text(MASTER.format(**values))
        (self.folder / "mailboxes").write_text(MAILBOXES)

    def _run(self, command: str, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.folder), command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"postfix {command}: {done.stdout}{done.stderr}{self.log}")
        return done

    def _wait_until_it_answers(self) -> None:
        import smtplib

        for _ in range(100):
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"Postfix does not answer: {self.log}")


def user_id(name: str) -> int:
    """The number of a user of this machine."""
    import pwd

    return pwd.getpwnam(name).pw_uid


def messages_in(maildir: Path) -> Iterator[Message]:
    """What was delivered."""
    for file in sorted((maildir / "new").glob("*")):
        yield email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
