"""How seldom Python looks for garbage in a process that works on many things at once."""

import gc

NEW_OBJECTS_LOOKED_AT = 20_000


def collect_seldom() -> None:
    """To be called once all is imported, which is looked at no more.

    Requests under way by the thousand are no garbage, and looking through them costs a tenth.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_LOOKED_AT)
