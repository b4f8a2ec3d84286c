r"""Perturbation of the mean sign

Source: docs/theory.md §4, with $v_{l,r} = a_{l,r} 1 - a_l$, so that $\langle v_{l,r}, \widetilde S - S\rangle = -(\widetilde f_l - f_l)$
Networks: softmax
Setting: Softmax network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$; $f = F/m = \langle a, S\rangle$.
Measured: $|\widetilde f_{l,i} - f_{l,i}|$ for every output at the drawn points of the ball, among them the one with every neuron moved along its sign times $x_1$; $R$ is what it is at the point.
Refuted by: One output whose mean moves further.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $R \le 0.01$ and $\max|\langle w_r,x_i\rangle| \le B$, $C = 10$.
Statement: $$ |\langle v_{l,r}, \widetilde S_i - S_i\rangle| \le R\, e^{4B+3R} $$

[derived]
Direction: tight
Statement: $$ |\langle v_{l,r}, \widetilde S_i - S_i\rangle| = |\widetilde f_{l,i} - f_{l,i}| \le 2\tanh(R/2) \le R $$
Proof: Let $P = (1+f)/2$ be the softmax mass of the neurons with $a_l = +1$ and $\theta = \tfrac12\log\frac{P}{1-P} = \mathrm{artanh} f$. Moving multiplies the odds $P/(1-P)$ by $\mathbb E[e^z | a=1]/\mathbb E[e^z|a=-1] \in [e^{-2R}, e^{2R}]$, so $|\widetilde\theta - \theta| \le R$, and $\tanh(\theta + R) - \tanh\theta$ is largest at $\theta = -R/2$. Attained at $f = -\tanh(R/2)$, $z = R a$.
Note: The proof gives more, $|\mathrm{artanh}\widetilde f - \mathrm{artanh} f| \le R$; from a coupled start, $f = 0$, that is $|\widetilde f| \le \tanh R$.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.quantities import distance, in_small_ball, is_softmax, nominal_B, softmax
from ntkverify.statements.form import Form, Twin, scaled, with_constants


@full_precision
def lhs(problem, point, c):
    """f̃ − f = Cov_S(a, e^z) / E_S e^z: no cancellation between the two means."""
    S = softmax(problem, point.base)
    gain = jnp.expm1(problem.X @ (point.moved.W - point.base.W))
    mean = jnp.sum(S * gain, axis=1, keepdims=True)
    centred = S * (gain - mean)
    return jnp.abs(centred @ point.base.a.T) / (1 + mean)


def reconstructed_rhs(problem, point, c):
    R = distance(point)
    return R * jnp.exp(c["power"] * nominal_B(problem, c["C"]) + 3 * R)


def derived_rhs(problem, point, c):
    return 2 * jnp.tanh(distance(point) / 2)


reconstructed = Form(
    lhs, reconstructed_rhs, assumptions=in_small_ball, constants={"power": 4.0, "C": 10.0, "R": 0.01}
).with_twins(
    with_constants("the exponent's sign flipped", power=-4.0),
    Twin("R² in place of R e^{4B+3R}", rhs=lambda p, q, c: distance(q) ** 2),
)

derived = Form(lhs, derived_rhs, assumptions=is_softmax).with_twins(
    scaled("the factor 2 dropped", rhs=0.5),
    scaled("one part in a hundred off", rhs=0.99),
)
