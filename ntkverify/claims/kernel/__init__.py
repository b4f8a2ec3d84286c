"""The kernel of any network, and its limit

docs/theory.md §2: what every neural tangent kernel is, and how fast it settles with the width.
"""
