r"""The criterion of Bartlett, Montanari and Rakhlin

Source: Bartlett, Montanari and Rakhlin, arXiv:2103.09177, Theorem 5.1, for gradient flow (formula recalled); for steps by Lemma 4 of docs/proofs/convergence.md
Networks: smooth
Setting: A network with a twice differentiable activation at $W(0)$, $e = F - Y$; on the ball of radius $r$ around $W(0)$, $p(r) \le \sigma_{\min}(J)$, $P(r) \ge \|J\|$, and $J$ is Lipschitz with constant $C(r)$, by the constants of docs/proofs/convergence.md at $W(0)$; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e\|$ and the distance from $W(0)$ over all neurons, after each of the first two steps of gradient descent of the criterion's size.
Refuted by: One step after which one of the two is larger.

[derived]
Direction: upper
Assumes: $C(r)\,\|e(0)\| \le m\lambda/4$ on the ball of radius $r = 2\|e(0)\|/\sqrt{m\lambda}$; $\eta\,(P^2 + C\|e(0)\|)/2 = \theta = 0.1$.
Statement: $$ \|e(\tau)\| \le (1 - (1-\theta)\,\eta\,m\lambda/4)^\tau\,\|e(0)\|, \qquad \|W(\tau) - W(0)\| \le r $$
Proof: $p(r) \ge \sqrt{m\lambda} - C r \ge \tfrac12\sqrt{m\lambda}$, and $\int_0^r p \ge \sqrt{m\lambda}\,r - \tfrac12 C r^2 \ge \tfrac32\|e(0)\|$, so $(1-\theta)\int_0^r p \ge \|e(0)\|$ for $\theta \le \tfrac13$: Theorem 5 with the share $\tfrac14$ kept.
Note: The source has a strict inequality and gradient flow. Its constant $\tfrac14$ may be $\tfrac12$ for flow; Theorem 5 at the best radius is that.
"""

from ntkverify.networks.criteria import bartlett, is_met, promised, seen
from ntkverify.networks.growth import smooth
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import DISTINCT
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return seen(problem, point.base, bartlett)


def rhs(problem, point, c):
    return promised(problem, point.base, bartlett)


def assumptions(problem, point, c):
    return smooth(problem, point, c) & is_met(problem, point.base, bartlett)


derived = Form(lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=AT_START).with_twins(
    Twin("the rate fivefold", rhs=lambda p, q, c: promised(p, q.base, bartlett, faster=5.0)),
    Twin("a tenth of the radius", rhs=lambda p, q, c: promised(p, q.base, bartlett, nearer=0.1)),
)
