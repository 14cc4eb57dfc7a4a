"""The same log by pull, long poll, JSON lines, SSE and WebSocket."""
