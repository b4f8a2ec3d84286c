r"""The criterion of Oymak and Soltanolkotabi

Source: Oymak and Soltanolkotabi, arXiv:1902.04674 (recalled); proved, and sharpened, by Lemma 4 of docs/proofs/convergence.md
Networks: smooth
Setting: A network with a twice differentiable activation at $W(0)$, $e = F - Y$; on the ball of radius $r$ around $W(0)$, $p(r) \le \sigma_{\min}(J)$, $P(r) \ge \|J\|$, and $J$ is Lipschitz with constant $C(r)$, by the constants of docs/proofs/convergence.md at $W(0)$; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e\|$ and the distance from $W(0)$ over all neurons, after each of the first two steps of gradient descent of the criterion's size.
Refuted by: One step after which one of the two is larger.

[reconstructed]
Direction: upper
Assumes: $\sigma_{\min}(J) \ge p(r) \ge a$ on the ball of radius $r = 4\|e(0)\|/a$, with $a = \tfrac12\sqrt{m\lambda}$; $\eta = \min(1, a^2/(C\|e(0)\|))/(2P^2)$.
Statement: $$ \|e(\tau)\| \le (1 - \tfrac12\eta a^2)^{\tau/2}\,\|e(0)\|, \qquad \tfrac14 a\,\|W(\tau) - W(0)\| + \|e(\tau)\| \le \|e(0)\| $$
Note: The source squares the first.

[derived]
Direction: upper
Assumes: $p(r) \ge a$ on the ball of radius $r = 2\|e(0)\|/a$, half as large; the rest as recalled.
Statement: $$ \|e(\tau)\| \le (1 - \tfrac12\eta a^2)^{\tau}\,\|e(0)\|, \qquad \tfrac12 a\,\|W(\tau) - W(0)\| + \|e(\tau)\| \le \|e(0)\| $$
Proof: $\eta P^2 \le \tfrac12$ and $\eta C\|e(0)\| \le a^2/(2P^2) \le \tfrac12$, so $\theta = \eta(P^2 + C\|e\|)/2 \le \tfrac12$ in Lemma 4: a step takes off at least $\tfrac12 a\,\|W(\tau+1)-W(\tau)\|$, and at least the share $\tfrac12\eta a^2$; the path is at most $2\|e(0)\|/a$ long.
"""

import functools

import jax.numpy as jnp

from ntkverify.networks.criteria import followed, is_met, oymak, shrunk, start
from ntkverify.networks.growth import smooth
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import DISTINCT
from ntkverify.statements.form import Form, Twin


def sides(problem, point, share, faster=1.0, steeper=1.0):
    """Of both statements, on the ball of radius `share` ‖e‖/a: 4 as recalled, 2 as derived."""
    at = start(problem, point.base)
    said, size = oymak(at, share), at.size
    sizes, away = followed(problem, point.base, said.eta)
    a = share * size / said.radius
    per_step = 1 - faster * said.eta * a**2 / 2
    factor = jnp.sqrt(jnp.maximum(per_step, 0)) if share == 4 else per_step
    small = jnp.concatenate([sizes, steeper * a / share * away + sizes])
    return small, jnp.concatenate([size * shrunk(factor), jnp.ones_like(away) * size])


def form(share):
    def assumptions(problem, point, c):
        return smooth(problem, point, c) & is_met(problem, point.base, functools.partial(oymak, share=share))

    def lhs(problem, point, c):
        return sides(problem, point, share)[0]

    def rhs(problem, point, c):
        return sides(problem, point, share)[1]

    return Form(lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=AT_START).with_twins(
        Twin("the rate sixteenfold", rhs=lambda p, q, c: sides(p, q, share, faster=16.0)[1]),
        Twin("the distance counted with 5a/2", lhs=lambda p, q, c: sides(p, q, share, steeper=2.5 * share)[0]),
    )


reconstructed = form(4.0)
derived = form(2.0)
