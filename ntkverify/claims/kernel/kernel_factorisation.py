r"""The kernel is the Jacobian times its transpose

Source: docs/theory.md §2
Setting: Any network, any weights $W$; $J$ is the Jacobian of $\mathrm{vec}\,F$ in $W$, outputs flattened with the sample slow.
Measured: $J(J^\top v)$ by one reverse and one forward pass of automatic differentiation, against $s_m H v$ with $H$ from the closed form (of a model of the user's: from the Jacobians of single inputs), at every drawn point of the ball and for a random sign vector $v$. A wrong entry of $H$ changes $Hv$ with probability at least one half, independently at each draw. The kernels section compares all entries by several routes.
Refuted by: One output of $s_m H v$ that differs by more than the rounding of both computations.

[derived]
Direction: equality
Statement: $$ J J^\top = s_m H, \qquad H_{(i,l),(j,k)} = \frac1m \langle x_i, x_j\rangle \sum_r G_{(i,l),r}\, G_{(j,k),r}, \qquad G_{(i,l),r} = (a_{l,r} - f_{l,i})\, m S_{i,r} $$ for softmax ($s_m = m$); for elementwise $\varphi$, $G_{(i,l),r} = a_{l,r}\,\varphi'(\langle w_r,x_i\rangle)$.
Proof: Row $(i,l)$ of $J$ holds, for neuron $r$, the vector $s\, G_{(i,l),r}\, x_i$ (gradient in closed form). The product of rows $(i,l)$ and $(j,k)$ is $s^2 \langle x_i,x_j\rangle \sum_r G_{(i,l),r} G_{(j,k),r} = s^2 m H_{(i,l),(j,k)}$, and $s_m = s^2 m$.
"""

import jax

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.nouns import Params
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    at = point.moved
    _, pull = jax.vjp(lambda W: forward(problem.network, Params(W, at.a), problem.X), at.W)
    (step,) = pull(point.probe)
    return jax.jvp(lambda W: forward(problem.network, Params(W, at.a), problem.X), (at.W,), (step,))[1].ravel()


@full_precision
def rhs(problem, point, c):
    scale = kernel_scale(problem.network, point.moved.m)
    return scale * (kernel(problem, point.moved) @ point.probe.ravel())


@full_precision
def outputs_slow(problem, point, c):
    """The other index order, p = l·n + i: invisible in spectra and norms."""
    n, d = problem.n, problem.d_out
    H = kernel(problem, point.moved).reshape(n, d, n, d).transpose(1, 0, 3, 2)
    return kernel_scale(problem.network, problem.m) * (H.reshape(n * d, n * d) @ point.probe.ravel())


derived = Form(lhs, rhs).with_twins(
    scaled("the factor s_m dropped", rhs=lambda p, q, c: 1 / p.m),
    scaled("one part in a thousand million wrong", rhs=1 + 1e-9),
    Twin("outputs slow instead of samples", rhs=outputs_slow),
)
