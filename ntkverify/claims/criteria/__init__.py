"""Criteria of convergence that read a neighbourhood of W(0)

Chatterjee (arXiv:2203.16462), Oymak and Soltanolkotabi (arXiv:1902.04674), Bartlett, Montanari and Rakhlin (arXiv:2103.09177), Liu,
Zhu and Belkin (arXiv:2003.00307), beside Theorem 5 of docs/proofs/convergence.md.  The hypotheses of all are certified by the same
constants at W(0); `ntkverify study frontier` says at which width each is met.
"""
