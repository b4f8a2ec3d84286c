"""The convergence theorem: its certificate, later starts, the verb `realise`, and a checker that imports nothing else."""
