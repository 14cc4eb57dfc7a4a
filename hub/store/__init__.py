"""The records of the hub in Redis, and the scripts that change them."""
