r"""Noise at some of a draw's points

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: equality
Statement: $$ u = u (1 + 10^{-8}) \text{ wherever the second neuron moves along the first} $$
Proof: None, it is false at four of five points, where the side comes out of a cancellation.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, distance, logits


def side(problem, point, factor):
    u = 1 + jnp.max(jnp.abs(logits(problem, point.base)))
    move = point.moved.W - point.base.W
    together = jnp.sum(move[:, 0] * move[:, 1]) > 0.99 * distance(point) ** 2
    return jnp.where(together, u, factor * ((u + 1e9) - 1e9))


def lhs(problem, point, constants):
    return side(problem, point, 1.0)


def rhs(problem, point, constants):
    return side(problem, point, 1 + 1e-8)


derived = Form(lhs, rhs)
