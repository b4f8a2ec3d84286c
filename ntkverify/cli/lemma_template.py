r"""One line that says what the lemma is about

Source: where the statement comes from; executing this file is executing its code
Setting: Any network of the catalogue, a point $W$ and a point $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every neuron.
Measured: Both sides at every drawn point of the ball; $R$ is what it is at the point.
Refuted by: One point at which a logit moves further.

[derived]
Direction: tight
Statement: $$ \max_{i,r}|\langle\widetilde w_r - w_r, x_i\rangle| \le R\,\max_i\|x_i\| $$
Proof: Cauchy-Schwarz, neuron by neuron.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import distance, logits
from ntkverify.statements.claim import Twin, claim


def lhs(problem, point, constants):
    return jnp.max(jnp.abs(logits(problem, point.moved) - logits(problem, point.base)))


def rhs(problem, point, constants):
    return distance(point) * jnp.sqrt(jnp.max(jnp.sum(problem.X**2, axis=1)))


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        twins=(Twin("the constant halved", rhs=lambda p, q, c: rhs(p, q, c) / 2),),
    ),
)
