r"""Largest softmax weight at initialisation

Source: docs/theory.md §4, the softmax range with a constant of our own
Networks: softmax
Setting: Softmax network, $W(0)$ with entries $\mathcal N(0,\sigma^2)$, $\|x_i\| \le 1$; $\kappa = \max_{i,r} m S_{i,r}$; coupled pairs share their weights, so $m' = m/2$ of them are distinct ($m' = m$ when all are drawn apart).
Measured: $\log\kappa$ at each draw of $W(0)$.
Refuted by: A rate of draws beyond the bound that is above $\delta$ with 95% confidence.

[derived]
Direction: upper
Promise: 1 - delta
Statement: $$ \log \kappa \le \sigma\sqrt{2\max\left(\log\frac{m' n}{2\delta},\ 0\right)} $$
Proof: By convexity $\tfrac1m\sum_s e^{u_s} \ge e^{\bar u}$, so $m S_{i,r} \le e^{u_{i,r} - \bar u_i}$. With $g_r$ the distinct weights, $u_{i,r} - \bar u_i = \langle g_r - \bar g, x_i\rangle$ is Gaussian of variance $\sigma^2\|x_i\|^2(1 - 1/m') \le \sigma^2$. For a standard Gaussian $P(N > t) \le \tfrac12 e^{-t^2/2}$, $t \ge 0$ (half of the two-sided bound that is proved for the exponents), and a union over the $m'n$ pairs gives $\tfrac12 m' n\, e^{-t^2/2} = \delta$. If $m'n \le 2\delta$ then $t = 0$ already does.
Note: $\kappa \le e^{B}$ with a B that contains m, where bounding numerator and denominator apart gives $e^{2B}$: half the exponent, and a factor 2 under the logarithm because the tail is one-sided.
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.nouns import AT_START, COUPLED
from ntkverify.networks.quantities import is_softmax, logits
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    u = logits(problem, point.base)
    return jnp.max(jnp.log(problem.m) + u - jax.nn.logsumexp(u, axis=1, keepdims=True))


def tail(problem, pairs):
    return problem.sigma * jnp.sqrt(2 * jnp.maximum(jnp.log(pairs / (2 * problem.delta)), 0))


def rhs(problem, point, c):
    distinct = problem.m // 2 if problem.init == COUPLED else problem.m
    return tail(problem, distinct * problem.n)


derived = Form(lhs, rhs, assumptions=is_softmax, where=AT_START).with_twins(
    Twin("the factors m and 2 dropped", rhs=lambda p, q, c: 2**-0.5 * tail(p, p.n)),
    Twin("the factors m and n dropped", rhs=lambda p, q, c: tail(p, 1)),
)
