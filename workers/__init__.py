"""The processes that verify, fetch, deliver and expire."""
