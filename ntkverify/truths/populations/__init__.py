"""One file a distribution to learn."""
