r"""Size of the projection

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$; $v_{l,r} = a_{l,r} 1 - a_l$, so that $\langle v_{l,r}, S_i\rangle = a_{l,r} - f_{l,i}$.
Measured: $\max_r |\langle v_{l,r}, \widetilde S_i\rangle|$ for every output at the drawn points of the ball; $R$ is what it is at the point.
Refuted by: One neuron and output with a larger projection.

[derived]
Direction: tight
Statement: $$ |\langle v_{l,r}, \widetilde S_i\rangle| \le 1 + \tanh\left(\mathrm{artanh}\,|f_{l,i}| + R\right) \ <\ 2, \qquad \text{at a coupled } W(0):\quad |\langle v_{l,r}, S_i\rangle| = 1,\quad |\langle v_{l,r}, \widetilde S_i\rangle| \le 1 + \tanh R $$
Proof: $|a_{l,r} - \widetilde f_{l,i}| \le 1 + |\widetilde f_{l,i}|$, and $|\mathrm{artanh}\,\widetilde f - \mathrm{artanh}\, f| \le R$ by the proof of the projection's perturbation (the odds of $a_l = +1$ change by a factor in $[e^{-2R}, e^{2R}]$). Attained at $f \ge 0$ by $z = R a_l$ for a neuron with $a_{l,r} = -1$.
Note: The bound 2 of docs/theory.md is approached only where $|f| \to 1$; near a coupled start half of it is enough.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import distance, is_softmax, outputs
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    f = outputs(problem, point.moved) / problem.m
    return jnp.max(jnp.abs(point.base.a[None] - f[:, :, None]), axis=2)


def reach(problem, point, R):
    """tanh(artanh|f| + R), by the addition theorem."""
    f, t = jnp.abs(outputs(problem, point.base)) / problem.m, jnp.tanh(R)
    return (f + t) / (1 + f * t)


def rhs(problem, point, c):
    return 1 + reach(problem, point, distance(point))


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    Twin("R dropped", rhs=lambda p, q, c: 1 + reach(p, q, 0 * distance(q))),
    Twin("R halved", rhs=lambda p, q, c: 1 + reach(p, q, distance(q) / 2)),
    Twin("the sign of R flipped", rhs=lambda p, q, c: 1 + reach(p, q, -distance(q))),
)
