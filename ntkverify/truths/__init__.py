"""Distributions whose score is known exactly."""
