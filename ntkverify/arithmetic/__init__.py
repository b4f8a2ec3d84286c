"""The interpreter of formulas and its three arithmetics: what a verdict rests on, and nothing else."""
