"""The door to the outside: the only code that connects to an address a stranger chose."""
