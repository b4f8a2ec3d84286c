r"""The region where the kernel stays positive

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, $W$ with $\lambda = \lambda_{\min}(H(W)) > 0$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$; $\kappa$ at $W$.
Measured: $\lambda_{\min}(H(\widetilde W))$ at points at the distance that the form allows from $W$, in the drawn directions: each neuron's displacement is rescaled, so that the claim is tested at the edge of its own region.
Refuted by: One point of the region at which the smallest eigenvalue is below $\lambda/2$.

[reconstructed]
Direction: lower
Promise: 1 - delta
Assumes: $R = \lambda/(2nd\,e^{10B})$, and $\max|\langle w_r,x_i\rangle| \le B$, $C = 10$.
Statement: $$ R \le \frac{\lambda}{2 n d\, e^{10B}} \quad\Longrightarrow\quad \lambda_{\min}(H(\widetilde W)) \ge \lambda/2 $$

[derived]
Direction: lower
Statement: $$ e^R - 1 \le \left(1 - \tfrac{1}{\sqrt2}\right) \sqrt{\frac{\lambda}{\kappa d\, \|X\|_{op}^2}} \quad\Longrightarrow\quad \lambda_{\min}(H(\widetilde W)) \ge \lambda/2 $$
Proof: $\|\widetilde J - J\|_{op}/\sqrt m \le (e^R-1)\sqrt{\kappa d}\,\|X\|_{op}$, the perturbation of the Jacobian. Hence $\sqrt{\lambda_{\min}(\widetilde H)} \ge \sqrt\lambda - (e^R-1)\sqrt{\kappa d}\,\|X\|_{op} \ge \sqrt{\lambda/2}$.
Note: The radius is of order $\sqrt{\lambda/(nd\kappa)}$, where bounding the kernel instead of the Jacobian (Weyl) gives $\lambda/(nd\kappa)$ and the reconstructed form $\lambda/(nd\,e^{10B})$.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.networks.nouns import Params, Point
from ntkverify.networks.quantities import (
    DISTINCT,
    distance,
    eigenvalues,
    exponents_bounded,
    is_softmax,
    kappa,
    nominal_B,
    operator_norm,
)
from ntkverify.statements.form import Form, Twin, scaled


def smallest(problem, params):
    return eigenvalues(problem, params)[0]


def at_distance(point, R):
    """The point in the same directions, at distance R of the base."""
    return Params(point.base.W + (point.moved.W - point.base.W) * (R / distance(point)), point.base.a)


def reconstructed_radius(problem, point, c):
    nd = problem.n * problem.d_out
    return smallest(problem, point.base) / (2 * nd * jnp.exp(c["power"] * nominal_B(problem, c["C"])))


def derived_radius(problem, point, c):
    room = smallest(problem, point.base) / (kappa(problem, point.base) * problem.d_out * operator_norm(problem) ** 2)
    return jnp.log1p((1 - 1 / jnp.sqrt(2.0)) * jnp.sqrt(jnp.maximum(room, 0)))


def kept(problem, point, radius):
    """λ_min just inside the edge of the region; the radius, whatever its rounding, counts as exact."""
    return smallest(problem, at_distance(point, given((1 - 1e-6) * radius)))


def half(problem, point, c):
    return smallest(problem, point.base) / 2


def reconstructed_lhs(problem, point, c):
    return kept(problem, point, reconstructed_radius(problem, point, c))


def derived_lhs(problem, point, c):
    return kept(problem, point, derived_radius(problem, point, c))


def reconstructed_assumptions(problem, point, c):
    at_base = Point(point.base, point.base, point.probe)
    return exponents_bounded(problem, at_base, c) & (smallest(problem, point.base) > c["least"])


def derived_assumptions(problem, point, c):
    return is_softmax(problem, point, c) & (smallest(problem, point.base) > c["least"])


reconstructed = Form(
    reconstructed_lhs,
    half,
    assumptions=reconstructed_assumptions,
    of_problem=DISTINCT,
    constants={"power": 10.0, "C": 10.0, "least": 1e-9},
).with_twins(
    scaled("2λ claimed instead of λ/2", rhs=4.0),
    Twin("a radius of 1/2 whatever λ is", lhs=lambda p, q, c: kept(p, q, jnp.asarray(0.5, p.X.dtype))),
)

derived = Form(
    derived_lhs, half, assumptions=derived_assumptions, of_problem=DISTINCT, constants={"least": 1e-9}
).with_twins(
    scaled("2λ claimed instead of λ/2", rhs=4.0),
    Twin("a radius of 1/2 whatever λ is", lhs=lambda p, q, c: kept(p, q, jnp.asarray(0.5, p.X.dtype))),
)
