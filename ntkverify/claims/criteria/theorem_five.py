r"""Theorem 5: the loss spent along the path

Source: docs/proofs/convergence.md, Theorem 5
Networks: smooth
Setting: A network with a twice differentiable activation at $W(0)$, $e = F - Y$; on the ball of radius $r$ around $W(0)$, $p(r) \le \sigma_{\min}(J)$, $P(r) \ge \|J\|$, and $J$ is Lipschitz with constant $C(r)$, by the constants of docs/proofs/convergence.md at $W(0)$; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e\|$ and the distance from $W(0)$ over all neurons, after each of the first two steps of gradient descent of the criterion's size.
Refuted by: One step after which one of the two is larger.

[derived]
Direction: upper
Assumes: $(1-\theta)\int_0^r p \ge \|e(0)\|$ and $p(r) > 0$ at a radius $r$; $\eta\,(P^2 + C\|e(0)\|)/2 = \theta = 0.1$. The integral is read as the trapezoid, which is below it, $p$ being concave.
Statement: $$ \|e(\tau)\| \le (1 - (1-\theta)\,\eta\,p(r)^2)^\tau\,\|e(0)\|, \qquad \|W(\tau) - W(0)\| \le r $$
Proof: docs/proofs/convergence.md.
Note: With exact steps; what `ntkverify realise` certifies has room for rounded ones, and takes the best radius.
"""

from ntkverify.networks.criteria import is_met, promised, seen, theorem_five
from ntkverify.networks.growth import smooth
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import DISTINCT
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return seen(problem, point.base, theorem_five)


def rhs(problem, point, c):
    return promised(problem, point.base, theorem_five)


def assumptions(problem, point, c):
    return smooth(problem, point, c) & is_met(problem, point.base, theorem_five)


derived = Form(lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=AT_START).with_twins(
    Twin("the rate doubled", rhs=lambda p, q, c: promised(p, q.base, theorem_five, faster=2.0)),
    Twin("a tenth of the radius", rhs=lambda p, q, c: promised(p, q.base, theorem_five, nearer=0.1)),
)
