"""Denoising is regression on the score

docs/theory.md §6: Tweedie's formula and the decomposition of the denoising loss.
"""
