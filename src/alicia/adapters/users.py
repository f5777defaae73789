"""Who we are on this machine."""

import os
import pwd


def user_name() -> str:
    """The name of the user we run as; its number where it has none, as in many containers."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
