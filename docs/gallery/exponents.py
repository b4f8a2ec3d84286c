r"""No exponent is large, with probability

Source: a union bound
Networks: logits
Setting: $W(0)$ with entries $\mathcal N(0, \sigma^2)$, $\|x_i\| \le 1$.
Measured: The largest $|\langle w_r, x_i\rangle|$ at each draw of $W(0)$.
Refuted by: A rate of draws beyond the bound that is above $\delta$ with 95% confidence.

[derived]
Direction: upper
Promise: 1 - delta
Statement: $$ \max_{i,r} |\langle w_r(0), x_i\rangle| \le \sigma\sqrt{2\log(mn/\delta)} $$
Proof: Each product is Gaussian of variance at most $\sigma^2$, $P(|N| > t) \le e^{-t^2/2}$ for a standard Gaussian, and there are $mn$ of them.
"""

import jax.numpy as jnp

from ntkverify.lemma import AT_START, Form, Twin, largest_exponent


def lhs(problem, point, c):
    return largest_exponent(problem, point.base)


def rhs(problem, point, c):
    return problem.sigma * jnp.sqrt(2 * jnp.log(problem.m * problem.n / problem.delta))


derived = Form(lhs, rhs, where=AT_START).with_twins(
    Twin("σ alone", rhs=lambda p, q, c: p.sigma),
)
