r"""Noise beside a large entry

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: equality
Statement: $$ (10^9, u) = (10^9, u (1 + 10^{-8})) $$
Proof: None, it is false; the second entry comes out of a cancellation whose error is small beside the first.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def side(problem, point, factor):
    u = jnp.max(jnp.abs(logits(problem, point.base)))
    return jnp.stack([jnp.asarray(1e9), factor * ((u + 1e9) - 1e9)])


def lhs(problem, point, constants):
    return side(problem, point, 1.0)


def rhs(problem, point, constants):
    return side(problem, point, 1 + 1e-8)


derived = Form(lhs, rhs)
