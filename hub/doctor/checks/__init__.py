"""What is good and what is not, one module a part of the publisher: pure functions."""
