r"""The length of the path against the error spent

Source: docs/theory.md §9; Łojasiewicz's argument
Setting: Any network along gradient descent from $W(0)$; $\ell = \sum_{s\le\tau}\|W(s+1) - W(s)\|$ over all parameters, $q = \min_{s\le\tau} \frac{(\|e(s)\| - \|e(s+1)\|)\,\|e(s)\|}{\|J^\top e(s)\|\,\|W(s+1)-W(s)\|}$ the smallest share that a step spends of what its gradient promises, $\lambda = \min_{s\le\tau}\lambda_{\min}(H(s))$.
Measured: $\ell$, $q$ and $\lambda$ are read off the path as floats; a millionth is taken off for their rounding where the two sides are equal (one output), and paths confirm the claim, none refutes it; $\|e(0)\| - \|e(\tau+1)\|$ at drawn times of it.
Refuted by: One path that is longer, by more than rounding, than what it spent allows.

[derived]
Direction: upper
Assumes: $q > 10^{-9}$: no step on the way has raised the error; $\lambda > 10^{-9}\lambda_{\max}$.
Statement: $$ q\,\sqrt{s_m\lambda}\;\ell \le \|e(0)\| - \|e(\tau+1)\| $$
Proof: $\|e(s)\| - \|e(s+1)\| \ge q\,\|J^\top e(s)\|\,\|W(s+1)-W(s)\|/\|e(s)\| \ge q\sqrt{s_m\lambda}\,\|W(s+1)-W(s)\|$, because $\|J^\top e\|^2 = s_m\,e^\top He$. Sum over $s$.
Note: With it $\|W(\tau) - W(0)\| \le \|e(0)\|/(q\sqrt{s_m\lambda})$: training stays near its start where $\lambda$ does not fall, whatever the architecture.
"""

import jax.numpy as jnp

from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import squared_error
from ntkverify.statements.form import Form, Twin


def root(problem, eigenvalue):
    """√(s_m λ)."""
    return jnp.sqrt(kernel_scale(problem.network, problem.m) * jnp.maximum(eigenvalue, 0))


def lhs(problem, point, c):
    return (1 - c["rounding"]) * point.path.share * root(problem, point.path.least) * point.path.length


def rhs(problem, point, c):
    before, now = (jnp.sqrt(squared_error(problem, params)) for params in (point.path.start, point.moved))
    return before - now


def assumptions(problem, point, c):
    return (point.path.share > c["least"]) & (point.path.least > c["least"] * point.path.top)


def fast(problem, point, c):
    """The largest eigenvalue in place of the smallest."""
    return point.path.share * root(problem, point.path.top) * point.path.length


def lasting(problem, point, c):
    """The path's length counted once for each of its steps."""
    return lhs(problem, point, c) * (1 + point.path.time)


derived = Form(
    lhs,
    rhs,
    assumptions=assumptions,
    where=ON_PATH,
    constants={"least": 1e-9, "rounding": 1e-6},
    only_confirmed="the numbers of the path are rounded.",
).with_twins(
    Twin("the largest eigenvalue in place of the smallest", lhs=fast),
    Twin("the length counted once for each step", lhs=lasting),
)
