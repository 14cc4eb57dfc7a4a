"""What the exit codes of the hub's processes mean."""

EXIT_FAILED = 1
EXIT_SETTINGS = 2
# A process that ends with one of these two would only end so again: the supervisor stops it all.
EXIT_ADDRESS_IN_USE = 98
EXIT_INTERRUPTED = 130
