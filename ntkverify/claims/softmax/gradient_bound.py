r"""Length of a neuron's gradient

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, any $W$ (checked in the ball); $e = F - Y$, $\kappa = \max_{i,r} m S_{i,r}$ at the current point.
Measured: $\|\Delta w_r\|$ for every neuron at every drawn point, for $e$ as the floats give it (the bound holds for any $e$).
Refuted by: One neuron with a longer gradient.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $\max|\langle w_r,x_i\rangle| \le B$, $C = 10$.
Statement: $$ \|\Delta w_r\| \le e^{3B} \sqrt{nd}\, \|e\| $$

[derived]
Direction: upper
Statement: $$ \|\Delta w_r\| \le (1 + \max_{l,i}|f_{l,i}|)\, \kappa \sqrt d\, \|X\|_F\, \|e\| \ \le\ 2\kappa\sqrt{nd}\, \|e\| $$
Proof: $\Delta w_r = X^\top D_r u$, $D_r = \mathrm{diag}(m S_{i,r})$ and $u_i = \sum_l e_{l,i}(a_{l,r} - f_{l,i})$, so $|u_i| \le (1+\max|f|)\sqrt d\,\|e_i\|$ and $\|X^\top D_r u\| \le \|X\|\,\kappa\,\|u\|$. The operator norm would do; the Frobenius norm, at most $\sqrt n$, is cheaper to bound rigorously. At a coupled $W(0)$, $f = 0$: half the classical constant. Attained there by equal inputs, uniform $S$, balanced signs and $e_{l,i}$ proportional to $a_{l,r}$.
Note: Putting $\|X\|_F$ for $\sqrt n$ and $1+|f|$ for 2 gains a factor 2 at a coupled start.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.networks.quantities import (
    exponents_bounded,
    is_softmax,
    kappa,
    nominal_B,
    outputs,
    pulled_back,
    residual,
)  # fmt: skip
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    step = pulled_back(problem, point.moved, given(residual(problem, point.moved)))
    return jnp.sqrt(jnp.max(jnp.sum(step**2, axis=0)))


def error_length(problem, point):
    return jnp.sqrt(jnp.sum(given(residual(problem, point.moved)) ** 2))


def reconstructed_rhs(problem, point, c):
    nd = problem.n * problem.d_out
    return jnp.exp(c["power"] * nominal_B(problem, c["C"])) * jnp.sqrt(1.0 * nd) * error_length(problem, point)


def derived_rhs(problem, point, c):
    largest = jnp.max(jnp.abs(outputs(problem, point.moved))) / problem.m
    length = jnp.sqrt(jnp.sum(problem.X**2))
    root = jnp.sqrt(1.0 * problem.d_out)
    return (1 + largest) * kappa(problem, point.moved) * root * length * error_length(problem, point)


reconstructed = Form(
    lhs, reconstructed_rhs, assumptions=exponents_bounded, constants={"power": 3.0, "C": 10.0}
).with_twins(
    with_constants("the exponent's sign flipped", power=-3.0),
    Twin("the factors e^{3B} and √(nd) dropped", rhs=lambda p, q, c: error_length(p, q)),
)

derived = Form(lhs, derived_rhs, assumptions=is_softmax).with_twins(
    scaled("the factor √(nd) dropped", rhs=lambda p, q, c: (p.n * p.d_out) ** -0.5),
    scaled("the factor ‖e‖ √d dropped", rhs=lambda p, q, c: p.d_out**-0.5 / error_length(p, q)),
)
