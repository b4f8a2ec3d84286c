"""Pages and figures, from rows only."""
