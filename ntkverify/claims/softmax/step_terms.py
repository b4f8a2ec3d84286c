r"""Size of the terms of a step

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, one step of gradient descent from $W(\tau)$ with the path's step size $\eta$; $C_k$ as in the loss identity, $\kappa$ and $F$ at $\tau$, $F^+$ at $\tau+1$, $\bar z = \eta\max_r\|\Delta w_r\|$, $\varphi(z) = 2(e^z-1-z)/z^2$.
Measured: The four sides at drawn times of the path; $\eta\|J^\top e\|$ and $\bar z$ are read off $W(\tau+1) - W(\tau)$.
Refuted by: One step with a larger term.

[reconstructed]
Direction: upper
Assumes: $m \ge c_m\lambda^{-2}n^2d^2e^{18B}\log^2(nd/\delta)$, $\eta = 0.1\,\lambda/(m n^2d^2e^{16B})$, $\lambda_{\min}(H(\tau)) \ge 0.8\lambda > 0$, $\lambda$ of $H(0)$.
Statement: $$ C_0 \le 0.1\,g, \quad C_1 \le -1.6\,g, \quad C_2 \le 0.1\,g, \quad C_3 \le 0.1\,g, \qquad g = m\eta\lambda\,\|e\|^2 $$
Note: A device of the proof. No run reaches that width; the verdict says by which factor it is missed. The terms are those of a step of the theorem's $\eta$ from $W(\tau)$, divided by $\eta$.

[derived]
Direction: upper
Statement: $$ |C_0| \le 2\|e\|\,\|F^+\|\, e^{\bar z}\sqrt{\tfrac{\kappa}{m}}\,\eta\|J^\top e\|, \quad |C_1 + 2\eta\|J^\top e\|^2| \le 2\|e\|\,\|F\|\sqrt{\tfrac{\kappa}{m}}\,\eta\|J^\top e\|, \quad |C_2| \le \varphi(\bar z)\,\kappa\sqrt{nd}\,\|e\|\,(\eta\|J^\top e\|)^2, \quad C_3 \le 4 m^2 nd \tanh^2(\bar z/2) $$
Proof: $|z_{i,r}| \le \bar z$, $\sum_r z_{i,r}^2 \le \eta^2\|J^\top e\|^2$, so $|\sum_r S_r z_r| \le \sqrt{\sum_r S_r z_r^2} \le \sqrt{\kappa/m}\,\eta\|J^\top e\|$, and $|e^z-1| \le |z|e^{\bar z}$, $|e^z-1-z| \le \tfrac12\varphi(\bar z) z^2$. $C_0$: $|v_0| \le |F^+| e^{\bar z}\sqrt{\kappa/m}\,\eta\|J^\top e\|$ entry by entry. $C_1$: $v_1 = -\eta JJ^\top e + F\sum_r S_r z_r$. $C_2$: $|v_2| \le \tfrac12\varphi\,\kappa\,\eta^2\|J^\top e\|^2$, times $\sqrt{nd}$ for its norm. $C_3 = m^2\|f^+-f\|^2$ and $|f^+-f| \le 2\tanh(\bar z/2)$, the perturbation of the mean sign.
Note: With $\|J^\top e\|^2 \le m\,nd\,\kappa\|e\|^2$ the third is at most $\varphi\,\eta^2 m (nd)^{1.5}\kappa^2\|e\|^3$, four times below docs/theory.md; the second has no $e^{\bar z}$.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import ON_PATH, Params
from ntkverify.networks.quantities import (
    DISTINCT,
    THEOREM_WIDTH,
    distance,
    eigenvalues,
    is_softmax,
    kappa,
    outputs,
    pulled_back,
    residual,
    second_order,
    squared_error,
    step_terms,
    width_missed,
)
from ntkverify.networks.step_sizes import theorem_step
from ntkverify.statements.form import Form, scaled


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
            bend * k * jnp.sqrt(1.0 * nd) * e * shift(point) ** 2,
            4 * m**2 * nd * jnp.tanh(furthest / 2) ** 2,
        ]
    )


def alone(k, factor):
    """A factor of the k-th side alone."""
    return lambda p, q, c: jnp.where(jnp.arange(4) == k, factor(p, q), 1)


def assumptions(problem, point, c):
    """After the first step: at a coupled W(0), F = 0 and two sides vanish."""
    return is_softmax(problem, point, c) & (point.path.time > 0)


@full_precision
def per_step(problem, point, c):
    """C_0 … C_3 of a step of the theorem's η, over η."""
    eta = given(theorem_step(problem, point.path.start, c["C"], c["power"]))
    slope = given(pulled_back(problem, point.base, residual(problem, point.base)))
    after = outputs(problem, Params(point.base.W - eta * slope, point.base.a))
    return jnp.stack(step_terms(problem, point.base, -eta * (problem.X @ slope), after)) / eta


def gain(problem, point):
    """g / η."""
    return problem.m * eigenvalues(problem, point.path.start)[0] * squared_error(problem, point.base)


def reconstructed_lhs(problem, point, c):
    c0, _, c2, c3 = per_step(problem, point, c)
    return jnp.stack([c0, 1.6 * gain(problem, point), c2, c3])


def reconstructed_rhs(problem, point, c):
    small = 0.1 * gain(problem, point)
    return jnp.stack([small, -per_step(problem, point, c)[1], small, small])


def kept(problem, point, c):
    first = eigenvalues(problem, point.path.start)[0]
    now = eigenvalues(problem, point.base)[0]
    return is_softmax(problem, point, c) & (first > c["least"]) & (now >= 0.8 * first)


reconstructed = Form(
    reconstructed_lhs,
    reconstructed_rhs,
    assumptions=kept,
    of_problem=DISTINCT,
    beyond=width_missed,
    where=ON_PATH,
    constants=THEOREM_WIDTH | {"power": 16.0, "least": 1e-9},
).with_twins(
    scaled("3.2 in place of 1.6", lhs=alone(1, lambda p, q: 2)),
    scaled("the sign of C_1 flipped", rhs=-1.0),
)

derived = Form(lhs, rhs, assumptions=assumptions, where=ON_PATH).with_twins(
    scaled("the factor m of C_3 dropped", rhs=alone(3, lambda p, q: 1 / p.m)),
    scaled("η⁴ in place of η² in C_3", rhs=alone(3, lambda p, q: distance(q) ** 2)),
)
