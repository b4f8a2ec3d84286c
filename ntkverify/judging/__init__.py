"""From draws to evidence, from evidence to a verdict."""
