"""The hub's face to the web: its endpoint, its page, its health."""
