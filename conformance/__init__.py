"""A black-box conformance suite for WebSub hubs (W3C Recommendation WebSub, 2018 and 2026)."""

__version__ = "0.1.0"
