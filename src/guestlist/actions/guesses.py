"""Links, keys and ids that do not exist, counted for each network."""

import logging
import time
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import cache

from guestlist import errors
from guestlist.actions.limits import refusal
from guestlist.conf import Limit, conf
from guestlist.links import mask_token

logger = logging.getLogger("guestlist.limits")


def count_unknown(*, who: str, ip: str | None, path: str) -> None:
    """Write down and count that `who`, who is signed in, asked for something that does not exist or is not
    theirs: nobody is told which, and ids can't be tried by the thousand. The name in the log is that of the
    OWASP vocabulary. Raises TooManyTries.
    """
    logger.warning("malicious_direct_reference who=%s path=%s", who, mask_token(path))
    count_guess(ip=ip)


def count_guess(*, ip: str | None) -> None:
    """Count a link or key that does not exist. Whoever holds a real one never comes here, so no guesser keeps
    anybody out.

    Raises TooManyTries where too many came from this network, or where the cache that counts them is gone.
    """
    limit = conf().limits.guesses
    if limit is None:
        return
    try:
        wait = _seconds_to_wait(limit, network_of(ip))
    except Exception:
        # Whatever the cache is, and however it fails: no guess goes uncounted.
        logger.exception("guesses can't be counted")
        wait = limit.period.total_seconds()
    if wait:
        raise refusal(errors.TooManyTries, "guesses", limit, timedelta(seconds=wait))


def network_of(ip: str | None) -> str:
    """What counts as one guesser: an IPv4 address, or the /64 that a single customer of IPv6 gets."""
    try:
        address = ip_address((ip or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


def _seconds_to_wait(limit: Limit, network: str) -> float:
    """0 while it is within the limit. The period is in the key: an entry that stays too long is harmless."""
    period = limit.period.total_seconds()
    number, gone = divmod(time.time(), period)
    key = f"guestlist.guesses:{network}:{period:.0f}:{number:.0f}"
    return period - gone if _count(key, period) > limit.count else 0.0


def _count(key: str, seconds: float) -> int:
    # Not every cache counts in one step: of guesses at the same moment some may be counted as one.
    if cache.add(key, 1, seconds):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # thrown out meanwhile
        return 1
