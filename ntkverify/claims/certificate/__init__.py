"""Gradient descent converges from these floats

docs/proofs/convergence.md: the lemmas on which the certificates of `ntkverify realise` rest.
"""
