r"""Perturbation of the softmax weights

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$.
Measured: Every $|\widetilde S_{i,r} - S_{i,r}|$ at the drawn points of the ball; $R$ is what it is at the point.
Refuted by: One softmax weight that moves further.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $R \le 0.01$ and $\max|\langle w_r,x_i\rangle| \le B$, $C = 10$.
Statement: $$ |\widetilde S_{i,r} - S_{i,r}| \le \frac{R}{m}\, e^{4B + 3R} $$

[derived]
Direction: upper
Statement: $$ |\widetilde S_{i,r} - S_{i,r}| \le (e^{2R} - 1)\, S_{i,r} $$
Proof: Every logit moves by at most $R$, so $\widetilde S_{i,r}/S_{i,r} = e^{z_r}/\sum_s S_{i,s} e^{z_s}$ lies in $[e^{-2R}, e^{2R}]$, and $1 - e^{-2R} \le e^{2R} - 1$. Sharp as a supremum: $z_r = R$, the others $-R$, $S_{i,r} \to 0$.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import distance, in_small_ball, is_softmax, logits, nominal_B, softmax
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    """|S̃ − S| = S |expm1(z − log E_S e^z)|: no cancellation between the two softmaxes."""
    S = softmax(problem, point.base)
    z = problem.X @ (point.moved.W - point.base.W)
    return S * jnp.abs(jnp.expm1(z - jnp.log1p(jnp.sum(S * jnp.expm1(z), axis=1, keepdims=True))))


def reconstructed_rhs(problem, point, c):
    R = distance(point)
    return R / problem.m * jnp.exp(c["power"] * nominal_B(problem, c["C"]) + 3 * R)


def derived_rhs(problem, point, c):
    return jnp.expm1(2 * distance(point)) * softmax(problem, point.base)


def without_weight(problem, point, c):
    """S_{i,r} becomes 1/m."""
    return jnp.expm1(2 * distance(point)) / problem.m * jnp.ones_like(logits(problem, point.base))


def halved(problem, point, c):
    return jnp.expm1(distance(point)) * softmax(problem, point.base)


reconstructed = Form(
    lhs, reconstructed_rhs, assumptions=in_small_ball, constants={"power": 4.0, "C": 10.0, "R": 0.01}
).with_twins(
    with_constants("the factor e^{4B} dropped", power=0.0),
    with_constants("the exponent's sign flipped", power=-4.0),
)

derived = Form(lhs, derived_rhs, assumptions=is_softmax).with_twins(
    Twin("the factor 2 in the exponent dropped", rhs=halved),
    scaled("R squared in place of R", rhs=lambda p, q, c: distance(q)),
    Twin("the mean weight 1/m in place of S", rhs=without_weight),
)
