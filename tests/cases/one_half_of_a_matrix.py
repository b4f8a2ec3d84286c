r"""One half of a matrix

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ \lambda_{\max}(S) \le \lambda_{\max}(\mathrm{diag}\, S) + 10^{-9} $$
Proof: None, it is false: of a triangle the routine reads the other half.
"""

import jax.numpy as jnp
from jax import lax

from ntkverify.lemma import Form, logits


def square(problem, point):
    u = logits(problem, point.base)
    return u @ u.T


def lhs(problem, point, constants):
    return jnp.max(jnp.linalg.eigvalsh(square(problem, point)))


def rhs(problem, point, constants):
    upper = jnp.triu(square(problem, point))
    _, values = lax.linalg.eigh(upper, lower=True, symmetrize_input=False)
    return jnp.max(values) + 1e-9


derived = Form(lhs, rhs)
