r"""Exponents stay bounded

Source: docs/theory.md §4, the bound on $|\langle w_r, x_i\rangle|$ that defines B
Networks: logits
Setting: $W(0)$ with entries $\mathcal N(0, \sigma^2)$ and $\|x_i\| \le 1$; coupled pairs share their weights.
Measured: The largest $|\langle w_r, x_i\rangle|$ over neurons and samples, at each draw of $W(0)$.
Refuted by: A rate of draws beyond the bound that is above $\delta$ with 95% confidence.

[reconstructed]
Direction: upper
Promise: 1 - delta
Statement: $$ \max_{i,r} |\langle w_r(0), x_i\rangle| \le B = \max\left(C\sigma\sqrt{\log(nd/\delta)},\ 1\right) $$
Note: B contains no m, yet the union bound runs over the neurons: by the derived form B is large enough up to $m = 2(\delta/n)(nd/\delta)^{C^2/2}$ (coupled). At n = 8, d = 4, σ = 1 that is below the width that the reconstructed convergence theorem then asks for. C is a parameter.

[derived]
Direction: upper
Promise: 1 - delta
Statement: $$ \max_{i,r} |\langle w_r(0), x_i\rangle| \le \sigma\sqrt{2\log(m' n/\delta)}, \qquad m' = m/2 \text{ (coupled) or } m $$
Proof: $\langle w_r, x_i\rangle$ is Gaussian with variance at most $\sigma^2$. For a standard Gaussian $P(|N| > t) \le e^{-t^2/2}$: $h(t) = e^{-t^2/2} - P(|N|>t)$ vanishes at 0 and at infinity and $h'(t) = e^{-t^2/2}(\sqrt{2/\pi} - t)$ changes sign once, from + to −, so $h \ge 0$. A union bound over the $m'n$ distinct pairs gives $m' n\, e^{-t^2/2} = \delta$ at $t^2 = 2\log(m'n/\delta)$.
Note: Against $\sigma\sqrt{2\log(2mn/\delta)}$, the tail without its factor 2 and the shared weights save a factor 4 under the logarithm.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import AT_START, COUPLED
from ntkverify.networks.quantities import largest_exponent, nominal_B
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return largest_exponent(problem, point.base)


def reconstructed_rhs(problem, point, c):
    return nominal_B(problem, c["C"])


def derived_rhs(problem, point, c):
    drawn = problem.m // 2 if problem.init == COUPLED else problem.m
    return tail(problem, drawn * problem.n)


def tail(problem, pairs):
    return problem.sigma * jnp.sqrt(2 * jnp.log(pairs / problem.delta))


reconstructed = Form(lhs, reconstructed_rhs, where=AT_START, constants={"C": 10.0}).with_twins(
    Twin("the factor C dropped", rhs=lambda p, q, c: p.sigma * jnp.sqrt(jnp.log(p.n * p.d_out / p.delta))),
    Twin("the factor C √log(nd/δ) dropped", rhs=lambda p, q, c: p.sigma),
)

derived = Form(lhs, derived_rhs, where=AT_START).with_twins(
    Twin("the factor m dropped", rhs=lambda p, q, c: tail(p, p.n)),
    scaled("the factor 2 dropped", rhs=2**-0.5),
)
