"""A black-box suite for any WebSub hub."""
