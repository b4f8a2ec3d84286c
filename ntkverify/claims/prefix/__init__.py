"""Prefix attention

arXiv:2406.14036: attention over trained prefix keys, learnt in the neural tangent kernel's regime.
"""
