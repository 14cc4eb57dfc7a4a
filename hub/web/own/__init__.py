"""Topics of the hub's own: content is sent to them, and read from them, at /t/NAME."""
