r"""Growth of the softmax weights in the ball of all neurons

Source: docs/proofs/convergence.md, Lemma 2
Networks: normalised
Setting: Softmax over neurons with logits $z_r = \langle w_r,x\rangle$, or $z(w_r; x)$ with $\|\nabla z\| \le L_i$, any $W$, and $\widetilde W$ with $\|\widetilde W - W\| = t$ over all neurons; $\nu = \max_i L_i\sqrt{1 + \|S_i\|^2}$ at $W$, $L_i = \|x_i\|$ where logits are linear.
Measured: $\max_{i,r}\log(\widetilde S_{i,r}/S_{i,r})/t$ at the drawn points of the ball, and where their first neuron alone has moved.
Refuted by: One weight that grows faster.

[derived]
Direction: upper
Statement: $$ \widetilde S_{i,r} \le e^{\nu t}\, S_{i,r} $$
Proof: $\log\widetilde S_{i,r} - \log S_{i,r} = z_{i,r} - \log\sum_\rho S_{i,\rho}e^{z_{i,\rho}} \le z_{i,r} - \bar z_i$ by Jensen's inequality, $= \langle z_i, \delta_r - S_i\rangle \le \|z_i\|\,(1 + \|S_i\|^2)^{1/2}$, and the change $z_i$ of the logits is at most $L_i\,t$ long.
Note: Against $e^{2R}$ when every neuron moves by $R$: the length over all neurons counts once.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import constants, displacement, first_neuron, normalised
from ntkverify.networks.quantities import logits, softmax
from ntkverify.statements.form import Form, Twin, scaled


def moved_logits(problem, point):
    if problem.activation.neuron is None:
        return problem.X @ (point.moved.W - point.base.W)
    return logits(problem, point.moved) - logits(problem, point.base)


@full_precision
def grown(problem, point):
    z = moved_logits(problem, point)
    mass = jnp.sum(softmax(problem, point.base) * jnp.expm1(z), axis=1, keepdims=True)
    return jnp.max(z - jnp.log1p(mass)) / displacement(point)


def lhs(problem, point, c):
    return jnp.stack([grown(problem, point), grown(problem, first_neuron(point))])


def rhs(problem, point, c):
    return constants(problem, point.base).rate


derived = Form(lhs, rhs, assumptions=normalised).with_twins(
    scaled("ν halved", rhs=0.5),
    Twin("the mean weight's rate, ν = √(1 + ‖S‖²) − 1", rhs=lambda p, q, c: rhs(p, q, c) - 1),
)
