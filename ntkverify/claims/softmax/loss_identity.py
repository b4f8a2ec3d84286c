r"""What one step does to the loss, exactly

Source: docs/theory.md §3
Networks: softmax
Setting: Softmax network, any two points; here consecutive points $W(\tau)$, $W(\tau+1)$ of gradient descent. $z_{i,r} = \langle w_r(\tau+1) - w_r(\tau), x_i\rangle = -\eta\langle\Delta w_r, x_i\rangle$, $S$ at $\tau$, $v_0 = -F(\tau+1)\sum_r S_{i,r}(e^z - 1)$, $v_1 = m\sum_r a_{l,r}S_{i,r}z$, $v_2 = m\sum_r a_{l,r}S_{i,r}(e^z-1-z)$.
Measured: Both sides at drawn times of the path, with $z$ from the two points as the floats give them.
Refuted by: One step whose two sides differ by more than rounding.

[derived]
Direction: equality
Statement: $$ \|e(\tau+1)\|^2 = \|e(\tau)\|^2 + C_0 + C_1 + C_2 + C_3, \qquad C_k = 2\langle e(\tau), v_k\rangle\ (k=0,1,2), \quad C_3 = \|v_0+v_1+v_2\|^2 $$
Proof: With $\beta = \sum_r e^{u_r}$ at $\tau$, $\beta^+ = \beta\sum_r S_r e^{z_r}$ and $F^+ = m\sum_r a_r S_r e^{z_r} \cdot \beta/\beta^+$. So $F^+ \sum_r S_r e^{z_r} = m\sum_r a_r S_r e^{z_r}$, that is $F^+ - F = -F^+\sum_r S_r(e^{z_r}-1) + m\sum_r a_rS_r(e^{z_r}-1) = v_0 + v_1 + v_2$; expand $\|e + (F^+-F)\|^2$.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import is_softmax, outputs, squared_error, step_terms
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return squared_error(problem, point.moved)


@full_precision
def terms(problem, point):
    z = problem.X @ (point.moved.W - point.base.W)
    return step_terms(problem, point.base, z, outputs(problem, point.moved))


def added(problem, point, found):
    """‖e(τ)‖² and the terms."""
    return squared_error(problem, point.base) + jnp.sum(jnp.stack(found))


def rhs(problem, point, c):
    return added(problem, point, terms(problem, point))


def without(k):
    return lambda p, q, c: added(p, q, [term for index, term in enumerate(terms(p, q)) if index != k])


@full_precision
def earlier_output(problem, point, c):
    z = problem.X @ (point.moved.W - point.base.W)
    return added(problem, point, step_terms(problem, point.base, z, outputs(problem, point.base)))


derived = Form(lhs, rhs, assumptions=is_softmax, where=ON_PATH).with_twins(
    *(Twin(f"C_{k} dropped", rhs=without(k)) for k in range(4)),
    Twin("F at τ in place of τ+1 in v_0", rhs=earlier_output),
)
