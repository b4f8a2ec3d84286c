r"""A guard

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ largest entry of the eigenvectors <= 1e-3 (false: at least n^{-1/2}) $$
Proof: None, it is false.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    _values, vectors = jnp.linalg.eigh(u @ u.T)
    vectors = jnp.where(jnp.isfinite(vectors), vectors, 0.0)  # a customary guard
    return jnp.max(jnp.abs(vectors))


def rhs(problem, point, constants):
    return jnp.asarray(1e-3)


derived = Form(lhs, rhs)
