r"""An attention head moves no faster than its tokens are apart

Source: docs/proofs/convergence.md, Lemma 8
Networks: any
Setting: Attention heads $z(W_r; T) = \langle v, \sum_j S_j t_j\rangle$, $S = \mathrm{softmax}(t_j^\top W_r q)$; $\rho$ is the range of $\langle v, t_j\rangle$, $D$ the diameter of the tokens, $q$ the last one.
Measured: The largest change of a head for every sequence, at every drawn point of the ball; $R$ is what it is at the point.
Refuted by: One head that moves further.

[derived]
Direction: upper
Statement: $$ \max_r |z(\widetilde W_r; T_i) - z(W_r; T_i)| \le \tfrac14\,\rho_i D_i \|q_i\|\, R \quad\text{for every } i $$
Proof: Along the segment the derivative is $\mathrm{Cov}_S(\langle v, t_j\rangle, t_j^\top \Delta_r q)$, a covariance of numbers within $\rho$ and $D\|\Delta_r q\| \le D R\|q\|$, and such a covariance is at most a quarter of their product.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, distance, logits, scaled


def tokens(problem):
    return problem.X.reshape(problem.n, *problem.activation.shape)


def lhs(problem, point, c):
    return jnp.max(jnp.abs(logits(problem, point.moved) - logits(problem, point.base)), axis=1)


def reach(problem):
    """ρ D ‖q‖ of every sequence."""
    T = tokens(problem)
    seen = jnp.sum(T, axis=2) / jnp.sqrt(1.0 * T.shape[2])
    apart = jnp.max(jnp.sum((T[:, :, None] - T[:, None]) ** 2, axis=3), axis=(1, 2))
    return (jnp.max(seen, axis=1) - jnp.min(seen, axis=1)) * jnp.sqrt(apart * jnp.sum(T[:, -1] ** 2, axis=1))


def rhs(problem, point, c):
    return reach(problem) * distance(point) / 4


derived = Form(lhs, rhs).with_twins(
    scaled("a hundredth of it", rhs=0.01), scaled("R squared", rhs=lambda p, q, c: distance(q))
)
