"""The worst point of an inequality, from below."""
