"""One file a nonlinearity, with everything that depends on it."""
