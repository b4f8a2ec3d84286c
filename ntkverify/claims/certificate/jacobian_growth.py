r"""Growth of the Jacobian in the ball of all neurons

Source: docs/proofs/convergence.md, Lemma 3
Networks: smooth
Setting: A network with a twice differentiable activation, any $W$, and $\widetilde W$ with $\|\widetilde W - W\| = t$ over all neurons; $\bar A$, $B$, $\nu$ at $W$ as in the curvature bound, $E(t) = (e^{\nu t}-1)/\nu$.
Measured: $\|\widetilde J - J\|_{op}$ by the Gram matrix of its rows, where the first neuron alone has moved from $W$, and with it the others as drawn; divided by $t$.
Refuted by: One point at which the Jacobian has moved further.

[derived]
Direction: upper
Statement: $$ \|\widetilde J - J\|_{op} \le \bar A B\,E(t), \qquad \bar A = \sqrt d\Big(1 + \max_i\|x_i\|\,t\sqrt{\kappa e^{\nu t}/m}\Big) + \max_i\|f_i\| $$
Proof: A symmetric bilinear form takes its norm on the diagonal, so the curvature bound is one on $\|DJ[\Delta]\|_{op}$; the weights grow at most like $e^{\nu u}$ along the segment and $\|\widetilde f_i - f_i\| \le \|x_i\|t\sqrt{d\kappa e^{\nu t}/m}$; integrate. Elementwise $\varphi$: $\bar A = \sqrt d$.
Note: The bound in terms of the largest displacement R of a neuron has $\sqrt m R$ where this has the length $t$ over all neurons: along gradient descent $t$ is at most about $\|Y\|/\sqrt{m\lambda}$.
"""

import jax.numpy as jnp

from ntkverify.networks.growth import amplitude, bends, constants, displacement, first_neuron, jacobian_change, smooth
from ntkverify.networks.quantities import jacobian_distance
from ntkverify.statements.form import Form, scaled


def changed(problem, point):
    """‖J̃ − J‖ / t."""
    return jacobian_distance(problem, point) / displacement(point)


def lhs(problem, point, c):
    return jnp.stack([changed(problem, point), changed(problem, first_neuron(point))])


def bound(problem, point):
    t = displacement(point)
    return jacobian_change(constants(problem, point.base), t) / t


def rhs(problem, point, c):
    return jnp.stack([bound(problem, point), bound(problem, first_neuron(point))])


derived = Form(lhs, rhs, assumptions=smooth).with_twins(
    scaled("the amplitude √d dropped", rhs=lambda p, q, c: 1 / amplitude(constants(p, q.base), displacement(q))),
    scaled("the largest weight replaced by the mean", rhs=lambda p, q, c: 1 / jnp.max(bends(p, q.base))),
    scaled("the constant halved", rhs=0.5),
)
