"""How many files and connections a process may have open: as many as it is allowed to."""

import resource
from contextlib import suppress

# Beyond it there is no gain, and some systems make a table of the size of the limit.
MOST = 65_536


def raise_limit() -> int:
    """Returns how many files may be open, after raising that as far as this process may.

    Its children inherit it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems name a hard limit that they do not grant.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else soft
