r"""The criterion of Liu, Zhu and Belkin

Source: Liu, Zhu and Belkin, arXiv:2003.00307 (recalled)
Networks: smooth
Setting: A network with a twice differentiable activation at $W(0)$, $e = F - Y$; on the ball of radius $r$ around $W(0)$, $p(r) \le \sigma_{\min}(J)$, $P(r) \ge \|J\|$, and $J$ is Lipschitz with constant $C(r)$, by the constants of docs/proofs/convergence.md at $W(0)$; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e\|$ and the distance from $W(0)$ over all neurons, after each of the first two steps of gradient descent of the criterion's size.
Refuted by: One step after which one of the two is larger.

[derived]
Direction: upper
Assumes: $\|J^\top e\|^2 \ge \mu\|e\|^2$ and $f = \tfrac12\|e\|^2$ is $\beta$-smooth on the ball of radius $r = 2\sqrt{2\beta f(W(0))}/\mu$, with $\mu = \tfrac12 m\lambda \le p(r)^2$ and $\beta = 2m\|H(0)\| \ge P^2 + C(\|e(0)\| + P r)$; $\eta = 1/\beta$.
Statement: $$ \|e(\tau)\| \le (1 - \mu/\beta)^{\tau/2}\,\|e(0)\|, \qquad \|W(\tau) - W(0)\| \le r $$
Proof: $f(W^+) \le f - \|\nabla f\|^2/(2\beta) \le (1 - \mu/\beta) f$, and $\sqrt f - \sqrt{f^+} \ge (f - f^+)/(2\sqrt f) \ge \|W^+-W\|\,\|\nabla f\|/(4\sqrt f) \ge \|W^+-W\|\sqrt{2\mu}/4$: the path is at most $2\sqrt{2f(W(0))/\mu}$ long, which is less than $r$, since $\mu \le \beta$.
Note: The radius $2\sqrt{2f(W(0))/\mu}$ suffices, by the same proof: the source's is larger by $\sqrt{\beta/\mu}$, the root of the condition number.
"""

from ntkverify.networks.criteria import is_met, liu, promised, seen
from ntkverify.networks.growth import smooth
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import DISTINCT
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return seen(problem, point.base, liu)


def rhs(problem, point, c):
    return promised(problem, point.base, liu)


def assumptions(problem, point, c):
    return smooth(problem, point, c) & is_met(problem, point.base, liu)


derived = Form(lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=AT_START).with_twins(
    Twin("the rate fourfold", rhs=lambda p, q, c: promised(p, q.base, liu, faster=4.0)),
    Twin("a tenth of the radius", rhs=lambda p, q, c: promised(p, q.base, liu, nearer=0.1)),
)
