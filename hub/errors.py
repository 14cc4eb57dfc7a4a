"""The root of the errors that this hub has a name for."""


class HubError(Exception):
    """Something that went wrong and that the hub can explain in a sentence."""
