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

from ntkverify.lemma import Form, distance, logits, scaled


def lhs(problem, point, constants):
    return jnp.max(jnp.abs(logits(problem, point.moved) - logits(problem, point.base)))


def rhs(problem, point, constants):
    return distance(point) * jnp.sqrt(jnp.max(jnp.sum(problem.X**2, axis=1)))


derived = Form(lhs, rhs).with_twins(scaled("the constant halved", rhs=0.5))
