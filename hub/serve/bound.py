"""Runs a command that dies with its parent: `python bound.py PARENT_PID SIGNAL COMMAND...`.

A program of its own, and not code between fork and exec, since nothing is safe to run there in
a process with threads. It needs the standard library alone, and hands its process over to the
command. Linux does it; elsewhere a killed `serve` leaves its children behind, and the next start
ends the Redis among them.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Asks the kernel for a signal at the parent's death, and becomes the command."""
    parent_pid, number, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    # Where the parent was gone before the call above, no signal will come.
    if os.getppid() != int(parent_pid):
        sys.exit("The process that started this one has ended.")
    try:
        os.execv(command[0], command)  # noqa: S606 - the supervisor's own command
    except OSError as error:
        sys.exit(f"Cannot run {command[0]}: {error.strerror}.")


if __name__ == "__main__":
    main(sys.argv[1:])
