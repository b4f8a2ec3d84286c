r"""Size of the terms of a step

Source: docs/theory.md §4
Setting: Softmax network, one step of gradient descent from $W(\tau)$ with the path's step size $\eta$; $C_k$ as in the loss identity, $\kappa$ and $F$ at $\tau$, $F^+$ at $\tau+1$, $\bar z = \eta\max_r\|\Delta w_r\|$, $\varphi(z) = 2(e^z-1-z)/z^2$.
Measured: The four sides at drawn times of the path; $\eta\|J^\top e\|$ and $\bar z$ are read off $W(\tau+1) - W(\tau)$.
Refuted by: One step with a larger term.

[derived]
Direction: upper
Statement: $$ |C_0| \le 2\|e\|\,\|F^+\|\, e^{\bar z}\sqrt{\tfrac{\kappa}{m}}\,\eta\|J^\top e\|, \quad |C_1 + 2\eta\|J^\top e\|^2| \le 2\|e\|\,\|F\|\sqrt{\tfrac{\kappa}{m}}\,\eta\|J^\top e\|, \quad |C_2| \le \varphi(\bar z)\,\kappa\sqrt{nd}\,\|e\|\,(\eta\|J^\top e\|)^2, \quad C_3 \le 4 m^2 nd \tanh^2(\bar z/2) $$
Proof: $|z_{i,r}| \le \bar z$, $\sum_r z_{i,r}^2 \le \eta^2\|J^\top e\|^2$, so $|\sum_r S_r z_r| \le \sqrt{\sum_r S_r z_r^2} \le \sqrt{\kappa/m}\,\eta\|J^\top e\|$, and $|e^z-1| \le |z|e^{\bar z}$, $|e^z-1-z| \le \tfrac12\varphi(\bar z) z^2$. $C_0$: $|v_0| \le |F^+| e^{\bar z}\sqrt{\kappa/m}\,\eta\|J^\top e\|$ entry by entry. $C_1$: $v_1 = -\eta JJ^\top e + F\sum_r S_r z_r$. $C_2$: $|v_2| \le \tfrac12\varphi\,\kappa\,\eta^2\|J^\top e\|^2$, times $\sqrt{nd}$ for its norm. $C_3 = m^2\|f^+-f\|^2$ and $|f^+-f| \le 2\tanh(\bar z/2)$, the perturbation of the mean sign.
Note: With $\|J^\top e\|^2 \le m\,nd\,\kappa\|e\|^2$ the third is at most $\varphi\,\eta^2 m (nd)^{1.5}\kappa^2\|e\|^3$, four times below docs/theory.md; the second has no $e^{\bar z}$. The reconstructed forms ($C_0 \le 0.1 g$ and so on, $g = m\eta\lambda\|e\|^2$) assume the theorem's width, which no run reaches: at ordinary widths $C_0$ and the second part of $C_1$ are each larger than that and cancel.
"""

import jax.numpy as jnp

from ntkverify.nouns import ON_PATH, Twin, claim
from ntkverify.numerics import full_precision
from ntkverify.quantities import distance, is_softmax, kappa, outputs, residual, second_order, step_terms


def norm(x):
    return jnp.sqrt(jnp.sum(x**2))


@full_precision
def lhs(problem, point, c):
    z = problem.X @ (point.moved.W - point.base.W)
    c0, c1, c2, c3 = step_terms(problem, point.base, z, outputs(problem, point.moved))
    return jnp.stack([jnp.abs(c0), jnp.abs(c1 + 2 * shift(point) ** 2 / point.path.eta), jnp.abs(c2), c3])


def shift(point):
    """η ‖Jᵀe‖."""
    return norm(point.moved.W - point.base.W)


def rhs(problem, point, c):
    e, furthest = norm(residual(problem, point.base)), distance(point)
    before, after = (norm(outputs(problem, params)) for params in (point.base, point.moved))
    k, nd, m = kappa(problem, point.base), problem.n * problem.d_out, problem.m
    slope = jnp.sqrt(k / m) * shift(point)
    bend = 2 * second_order(furthest) / furthest**2
    return jnp.stack(
        [
            2 * e * after * jnp.exp(furthest) * slope,
            2 * e * before * slope,
            bend * k * nd**0.5 * e * shift(point) ** 2,
            4 * m**2 * nd * jnp.tanh(furthest / 2) ** 2,
        ]
    )


def divided(k, factor):
    """The k-th bound divided by a factor."""
    return lambda p, q, c: rhs(p, q, c) / jnp.where(jnp.arange(4) == k, factor(p, q), 1)


def assumptions(problem, point, c):
    """After the first step: at a coupled W(0), F = 0 and two sides vanish."""
    return is_softmax(problem, point, c) & (point.path.time > 0)


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        assumptions=assumptions,
        where=ON_PATH,
        twins=(
            Twin("the factor m of C_3 dropped", rhs=divided(3, lambda p, q: p.m)),
            Twin("η⁴ in place of η² in C_3", rhs=divided(3, lambda p, q: distance(q) ** -2)),
        ),
    ),
)
