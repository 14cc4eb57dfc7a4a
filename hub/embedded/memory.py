"""How much memory the embedded Redis may use where no setting says: half of what there is."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

SHARE = 2
CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUPS = Path("/proc/self/cgroup")


def half_of_memory() -> int:
    """Returns half of the machine's memory or of the control group's limit, whichever is less.

    The other half is for the hub's own processes, and for Redis while it rewrites its file.
    """
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min((machine_bytes, *limits(CGROUPS, CGROUP_ROOT))) // SHARE


def limits(cgroups: Path, root: Path) -> Iterator[int]:
    """Yields the limits of this process's control group and of those around it, in bytes.

    Args:
        cgroups: a line for each hierarchy: number, controllers (none in version 2), path.
        root: where the hierarchies are mounted. In a container without a namespace of its own the
            path is that of the host and leads nowhere here, and the root is the container's group.
    """
    try:
        lines = cgroups.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _limits_up_from(root, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits_up_from(root / "memory", path, "memory.limit_in_bytes")


def _limits_up_from(mount: Path, path: str, file: str) -> Iterator[int]:
    group = PurePosixPath(path.lstrip("/"))
    for place in (group, *group.parents):
        try:
            text = (mount / place / file).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():  # "max" is none
            yield int(text)
