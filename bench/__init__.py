"""What the hub's speed is measured with, each figure beside a baseline of the same run."""
