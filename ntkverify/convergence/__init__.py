"""The convergence theorem: its certificate, later starts, trained starts, and the verb `realise`."""
