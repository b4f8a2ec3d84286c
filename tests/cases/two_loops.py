r"""Two loops of one body

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ \sum d \le 1.01 \sum d' $$
Proof: None, it is false: it is the other way round by a factor 2 or more.
"""

import jax.numpy as jnp
from jax import lax

from ntkverify.lemma import Form, logits


def both(problem, point):
    """The first carries b and takes a as it is; the second carries both."""
    a = 1 + jnp.abs(logits(problem, point.base)[0, :4])
    b = a + 1
    body = lambda a, b: (a * b + 1, b - a)  # noqa: E731
    first = lax.scan(lambda b, _: body(a, b), b, None, length=4)[1]
    second = lax.scan(lambda ab, _: (body(*ab), None), (a, b), None, length=4)[0][1]
    return first, second


def lhs(problem, point, constants):
    return jnp.sum(both(problem, point)[0])


def rhs(problem, point, constants):
    first, second = both(problem, point)
    return 1.01 * jnp.sum(second) + 0 * jnp.sum(first)


derived = Form(lhs, rhs)
