"""Claims decided at points with every rounding enclosed."""
