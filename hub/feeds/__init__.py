"""Feeds as bytes and entries: read, compare, cut, merge. No I/O, no clock, no chance."""
