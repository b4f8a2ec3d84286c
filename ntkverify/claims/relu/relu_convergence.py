r"""Gradient descent on a ReLU network converges

Source: Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054), Theorem 4.1, recalled
Networks: relu
Setting: ReLU network along gradient descent with step size $\eta$ from $W(0)$; $s_m = 1$ ($m$ for the sum-scaled network). The reconstructed form is in the source's normalisation: output scale $m^{-1/2}$, $\sigma = 1$, one output, unit inputs; $m' = m/2$ neurons are drawn in pairs, otherwise $m' = m$. $\lambda_0 = \lambda_{\min}(K)$ of the limit kernel; $\lambda^*$, $\Lambda^*$ the smallest and largest eigenvalue of $H$ at the steps up to $\tau$, $R$ the largest movement of a neuron up to $\tau+1$, $b_i$ the share of the neurons that are near at $x_i$: $|\langle w_r(0),x_i\rangle| \le R\|x_i\|$.
Measured: $\|e(\tau+1)\|^2$ at drawn times; $\lambda^*$, $\Lambda^*$ and $R$ are computed at every step of the path.
Refuted by: One time at which the loss is larger.

[reconstructed]
Direction: upper
Promise: 1 - delta
Statement: $$ \|e(\tau+1)\|^2 \le (1 - \tfrac12\eta\lambda_0)^{\tau+1}\,\|e(0)\|^2 \qquad\text{once}\quad m' \ge c_m\frac{n^6}{\lambda_0^4\delta^3}, \quad \eta \le c_\eta\frac{\lambda_0}{n^2}, \qquad c_m = c_\eta = 1 $$
Note: Its constants are parameters, not the paper's. The verdict says by which factor the larger of width and step size is missed. In pairs $e(0) = -Y$, which is no larger than what the source allows for.

[derived]
Direction: upper
Assumes: $\eta s_m\Lambda^* \le 1$ and $\lambda^* > d\,\beta$, clearly: by $10^{-6}\Lambda^*$.
Statement: $$ \|e(\tau+1)\|^2 \le \left(1 - \eta s_m(\lambda^* - d\,\beta)\right)^{\tau+1}\|e(0)\|^2, \qquad \beta = \Big(\sum_i b_i^2\,\|Xx_i\|^2\Big)^{1/2} $$
Proof: Let $z_{i,r} = \langle w_r(t+1) - w_r(t), x_i\rangle$. Then $e(t+1) = (I - \eta s_mH)e(t) + \rho$ with $\rho_{i,l} = s\sum_r a_{l,r}\rho_{i,r}$, $\rho_{i,r} = \varphi(u+z) - \varphi(u) - \mathbb 1[u>0]\,z$ at $u = \langle w_r(t),x_i\rangle$. It is 0 where $u$ and $u+z$ have the same sign, and at most $|z|$ otherwise. Both points of a step lie within $R$ of $w_r(0)$, so a neuron that is not near at $x_i$ keeps its sign: at most $b_im$ terms are not 0. $z_{i,r} = -\eta s\sum_j\langle x_i,x_j\rangle\,\mathbb 1[\langle w_r,x_j\rangle>0]\,\langle e_j,a_r\rangle$, so $|z_{i,r}| \le \eta s\sqrt d\,\|Xx_i\|\,\|e\|$, and $\|\rho_i\| \le s\sqrt d\,b_im\,\eta s\sqrt d\,\|Xx_i\|\,\|e\| = \eta s_m d\,b_i\|Xx_i\|\,\|e\|$, as $s^2m = s_m$. Hence $\|\rho\| \le \eta s_md\,\beta\|e\|$. By the first assumption $\|(I-\eta s_mH)e\| \le (1-\eta s_m\lambda^*)\|e\|$, so $\|e(t+1)\| \le (1 - \eta s_m(\lambda^* - d\beta))\|e(t)\|$ at every step, even without the square on the left.
Note: No probability and no unknown constant, any inputs, $\sigma$ and start, but hypotheses that are read off the run. Stated with one power of the factor, where two are proved, so that no rounding of the path enters.
"""

import math

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.gates import OF_SOURCE, POSITIVE, RELU, STANDARD, drawn, near, smallest
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import envelope, gram, squared_error
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return squared_error(problem, point.moved)


def reconstructed_rhs(problem, point, c):
    return envelope(problem, point, point.path.eta * smallest(problem) / 2)


def missed(problem, point, c):
    """log₁₀ of the factor by which the width or the step size is missed, the larger one."""
    least = jnp.maximum(smallest(problem), 1e-75)
    width = jnp.log(c["c_m"] * problem.n**6 / (problem.delta**3 * drawn(problem))) - 4 * jnp.log(least)
    step = jnp.log(point.path.eta * problem.n**2 / (c["c_eta"] * least))
    return jnp.maximum(width, step) / math.log(10)


def step(problem, point):
    """η s_m."""
    return point.path.eta * kernel_scale(problem.network, problem.m)


@full_precision
def switched(problem, point):
    """d β."""
    share = jnp.mean(near(problem, point.path.start, point.path.furthest), axis=1)
    return problem.d_out * jnp.sqrt(jnp.sum(share**2 * jnp.sum(gram(problem) ** 2, axis=1)))


def room(problem, point):
    return point.path.least - switched(problem, point)


def rhs(problem, point, c):
    return envelope(problem, point, step(problem, point) * room(problem, point))


def assumptions(problem, point, c):
    clear = room(problem, point) > c["least"] * point.path.top
    return (step(problem, point) * point.path.top <= 1) & clear


def fastest(problem, point, c):
    """Two powers of the factor that λ_max would give."""
    twice = envelope(problem, point, 0.95 * step(problem, point) * point.path.top) ** 2
    return twice / squared_error(problem, point.path.start)


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    of_problem=OF_SOURCE | STANDARD | POSITIVE,
    beyond=missed,
    where=ON_PATH,
    constants={"c_m": 1.0, "c_eta": 1.0, "least": 1e-9},
).with_twins(
    Twin("λ_max in place of λ₀, two powers", rhs=fastest),
    scaled("e³ faster at every step", rhs=lambda p, q, c: jnp.exp(-3 * q.path.time)),
)
derived = Form(lhs, rhs, assumptions=assumptions, of_problem=RELU, where=ON_PATH, constants={"least": 1e-6}).with_twins(
    Twin("λ_max in place of λ, two powers", rhs=fastest),
    scaled("e³ faster at every step", rhs=lambda p, q, c: jnp.exp(-3 * q.path.time)),
)
