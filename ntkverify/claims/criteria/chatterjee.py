r"""Chatterjee's criterion

Source: Chatterjee, arXiv:2203.16462, for gradient flow (formula recalled); for steps of gradient descent by Lemma 4 of docs/proofs/convergence.md
Networks: smooth
Setting: A network with a twice differentiable activation at $W(0)$, $e = F - Y$; on the ball of radius $r$ around $W(0)$, $p(r) \le \sigma_{\min}(J)$, $P(r) \ge \|J\|$, and $J$ is Lipschitz with constant $C(r)$, by the constants of docs/proofs/convergence.md at $W(0)$; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e\|$ and the distance from $W(0)$ over all neurons, after each of the first two steps of gradient descent of the criterion's size.
Refuted by: One step after which one of the two is larger.

[derived]
Direction: upper
Assumes: $(1-\theta)\,r\,p(r) \ge \|e(0)\|$ at a radius $r$, which for $\theta = 0$ implies the source's $4f(0) < r^2\inf\|\nabla f\|^2/f$, $f = \tfrac12\|e\|^2$; $\eta\,(P^2 + C\|e(0)\|)/2 = \theta = 0.1$.
Statement: $$ \|e(\tau)\| \le (1 - (1-\theta)\,\eta\,p(r)^2)^\tau\,\|e(0)\|, \qquad \|W(\tau) - W(0)\| \le r $$
Proof: $\|\nabla f\|^2/f = 2\|J^\top e\|^2/\|e\|^2 \ge 2p(r)^2$ on the ball. By Lemma 4 a step inside it takes off at least $(1-\theta)\,p(r)\,\|W(\tau+1)-W(\tau)\|$, so the path is at most $\|e(0)\|/((1-\theta)p(r)) \le r$ long and stays inside.
Note: The source speaks of gradient flow, for which $\theta = 0$. Theorem 5 replaces $r\,p(r)$ by $\int_0^r p$.
"""

from ntkverify.networks.criteria import chatterjee, is_met, promised, seen
from ntkverify.networks.growth import smooth
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import DISTINCT
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return seen(problem, point.base, chatterjee)


def rhs(problem, point, c):
    return promised(problem, point.base, chatterjee)


def assumptions(problem, point, c):
    return smooth(problem, point, c) & is_met(problem, point.base, chatterjee)


derived = Form(lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=AT_START).with_twins(
    Twin("the rate doubled", rhs=lambda p, q, c: promised(p, q.base, chatterjee, faster=2.0)),
    Twin("a tenth of the radius", rhs=lambda p, q, c: promised(p, q.base, chatterjee, nearer=0.1)),
)
