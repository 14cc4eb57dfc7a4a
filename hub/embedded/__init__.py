"""The Redis of one's own that `serve` runs where no Redis URL is set (docs/architecture.md)."""
