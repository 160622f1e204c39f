"""The same project, where people sign up on the accept page, addresses have to be proved, and times are those
of the viewer.
"""

from website.settings import *  # noqa: F403

MIDDLEWARE = [*MIDDLEWARE, "people.time_zones.ViewersTimeZone"]  # noqa: F405
GUESTLIST = {
    "URL": "https://www.example.com",
    "ADDRESSES": "people.addresses",
    "SIGN_UP": "people.sign_up.sign_up",
}
