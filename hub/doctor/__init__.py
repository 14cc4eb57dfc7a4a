"""What a publisher looks like from outside, and what it should mend."""
