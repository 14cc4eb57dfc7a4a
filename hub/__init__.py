"""A durable WebSub hub: every topic is a log, every receiver a cursor over it."""

__version__ = "0.1.0"
