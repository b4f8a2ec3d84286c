"""A checker of certificates of convergence, that imports nothing of what made them."""
