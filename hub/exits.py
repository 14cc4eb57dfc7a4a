"""What the exit codes of the hub's processes mean."""

EXIT_FAILED = 1
# Somebody has to change something first: a setting, an option, a port or a folder in use, a Redis
# that is not fit. Another start would only end so again, so that the supervisor stops it all.
EXIT_SETTINGS = 2
EXIT_INTERRUPTED = 130
