r"""Range of the softmax weights

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, any $W$ (checked in the ball); $B_{\mathrm{eff}} = \max(1, \max_{i,r}|\langle w_r,x_i\rangle|)$.
Measured: Every $S_{i,r}$ at every drawn point, against the bound at the same point.
Refuted by: One softmax weight outside its range.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $\max|\langle w_r,x_i\rangle| \le B = \max(C\sigma\sqrt{\log(nd/\delta)},\,1)$, $C = 10$.
Statement: $$ S_{i,r} \le e^{2B}/m $$

[derived]
Direction: upper
Statement: $$ \left| \log (m\, S_{i,r}) \right| \le 2 B_{\mathrm{eff}}, \qquad \text{that is} \quad S_{i,r} \in \left[e^{-2B_{\mathrm{eff}}},\ e^{2B_{\mathrm{eff}}}\right]/m $$
Proof: $m S_{i,r} = e^{u_r} / \big(\tfrac1m \sum_s e^{u_s}\big)$ with $|u| \le B_{\mathrm{eff}}$: numerator and denominator both lie in $[e^{-B_{\mathrm{eff}}}, e^{B_{\mathrm{eff}}}]$. Approached by one logit $\pm B$ and the others $\mp B$ as $m \to \infty$.
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.quantities import effective_B, exponents_bounded, is_softmax, logits, nominal_B, softmax
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    return softmax(problem, point.moved)


def reconstructed_rhs(problem, point, c):
    return jnp.exp(c["power"] * nominal_B(problem, c["C"])) / problem.m


def spread(problem, point, c):
    """|log m S|, from log S = u − log Σ e^u, so that small weights keep their digits."""
    u = logits(problem, point.moved)
    return jnp.abs(jnp.log(problem.m) + u - jax.nn.logsumexp(u, axis=1, keepdims=True))


def derived_rhs(problem, point, c):
    return 2 * effective_B(problem, point.moved)


reconstructed = Form(
    lhs, reconstructed_rhs, assumptions=exponents_bounded, constants={"power": 2.0, "C": 10.0}
).with_twins(
    with_constants("the factor e^{2B} dropped", power=0.0),
    with_constants("the exponent's sign flipped", power=-2.0),
)

derived = Form(spread, derived_rhs, assumptions=is_softmax).with_twins(
    Twin("the factor m dropped", lhs=lambda p, q, c: -jnp.log(softmax(p, q.moved))),
    scaled("the factor 2 dropped", rhs=0.5),
)
