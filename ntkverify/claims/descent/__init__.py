"""A step of gradient descent on any network

docs/theory.md §9: second-order expansion, contraction by the kernel, the length of the path.
"""
