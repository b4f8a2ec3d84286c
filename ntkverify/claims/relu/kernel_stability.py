r"""The kernel changes by the neurons that switch

Source: Song and Yang 2019 (arXiv:1906.03593) and Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054), recalled; docs/theory.md §2
Networks: relu
Setting: ReLU network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$. In the reconstructed form $W = W(0)$ has entries $\mathcal N(0,\sigma^2)$, of which $m'$ neurons are drawn: $m$, or $m/2$ in pairs. The source has $\sigma = 1$ and independent neurons; $R/\sigma$ takes the place of $R$ because $\mathbb 1[\langle w,x\rangle>0]$ does not change when $W$ and $\widetilde W$ are scaled, and $m'$ that of $m$.
Measured: $R$ is what it is at the point, $\max_r\|\widetilde w_r - w_r\|$. The supremum over the ball is replaced by points at distance $R$: one random, one with every neuron moved along $a_{1,r}\,x_1$, one along $a_{1,r}a_{d,r}\,x_1$, one with a single neuron against all others, one along the gradient of the left side (which is 0 for ReLU). So what is seen is a lower bound on the supremum.
Refuted by: One point of the ball at which the kernel moves further; of the reconstructed form, a rate of draws with such points that is above $\delta$ with 95% confidence.

[reconstructed]
Direction: upper
Promise: 1 - delta
Statement: $$ \|H(\widetilde W) - H(0)\|_F \le 2nR/\sigma \quad\text{with probability}\quad 1 - n^2e^{-m'R/(10\sigma)}, \quad\text{that is}\ 1-\delta\ \text{once}\quad m' \ge 10\,\frac{\sigma}{R}\log\frac{n^2}\delta, $$ unit inputs, one output.
Note: The constants 2 and 10 are parameters, not the papers' printed ones. Where the width is not reached the verdict says by which factor it is missed.

[derived]
Direction: tight
Statement: $$ \|H(\widetilde W) - H(W)\|_F \le \frac1m\sqrt{\sum_{i,j}\langle x_i,x_j\rangle^2\left(d\,\max(p_{ij}, q_{ij})^2 + d(d-1)(p_{ij}+q_{ij})^2\right)} $$ $p_{ij}$: how many neurons, not open at both $x_i$ and $x_j$, are open or near ($|\langle w_r,x\rangle| \le R\|x\|$) at each of the two; $q_{ij}$: how many are open at both and near at one.
Proof: $|\langle\widetilde w_r - w_r, x\rangle| \le R\|x\|$, so a neuron that is not near at $x$ is open there after the move exactly if it was before. $s_{i,r}s_{j,r} \in \{0,1\}$, $s = \mathbb 1[\langle w,x\rangle>0]$, can rise from 0 to 1 only if the neuron is open or near at both inputs, and fall from 1 to 0 only if it is near at one of them. So $\Delta_r = \widetilde s_i\widetilde s_j - s_is_j$ is in $\{0,1\}$ for the $p_{ij}$ neurons, in $\{-1,0\}$ for the $q_{ij}$, and 0 for all others. An entry with $l = k$ changes by $\langle x_i,x_j\rangle\frac1m\sum_r\Delta_r$, because $a_l^2 = 1$, and the sum lies in $[-q_{ij}, p_{ij}]$; one with $l \ne k$ by $\langle x_i,x_j\rangle\frac1m\sum_r a_{l,r}a_{k,r}\Delta_r$, at most $p_{ij}+q_{ij}$ in absolute value. Sum the squares.
Note: No probability, no unit inputs, any $R$; it also bounds every point of the ball at once, from $W$ alone. One input attains it, where at least as many near neurons are closed as open: all move along $x_1$.
"""

import math

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.gates import OF_SOURCE, RANDOM, RELU, drawn, near, opened
from ntkverify.networks.quantities import distance, gram, kernel_change
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    return kernel_change(problem, point)


def reconstructed_rhs(problem, point, c):
    return c["factor"] * problem.n * distance(point) / problem.sigma


def width_missed(problem, point, c):
    """log₁₀ of 10 σ log(n²/δ) / (R m')."""
    wanted = c["rate"] * problem.sigma * jnp.log(problem.n**2 / problem.delta)
    return jnp.log(wanted / (distance(point) * drawn(problem))) / math.log(10)


@full_precision
def switching(problem, params, R):
    """p and q, (n, n) arrays."""
    s, b = opened(problem, params), near(problem, params, R)
    most, least = jnp.maximum(s, b), s * (1 - b)
    both = s @ s.T
    return most @ most.T - both, both - least @ least.T


def summed(problem, alike, apart):
    """(1/m) √Σ ⟨x_i,x_j⟩² (d alike² + d(d−1) apart²)."""
    d = problem.d_out
    return jnp.sqrt(jnp.sum(gram(problem) ** 2 * (d * alike**2 + d * (d - 1) * apart**2))) / problem.m


def rhs(problem, point, c):
    p, q = switching(problem, point.base, distance(point))
    return summed(problem, jnp.maximum(p, q), p + q)


def lower_side(problem, point, c):
    p, q = switching(problem, point.base, distance(point))
    return summed(problem, jnp.minimum(p, q), jnp.abs(p - q))


def some_near(problem, point, c):
    return rhs(problem, point, c) > 0


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    of_problem=OF_SOURCE | RANDOM,
    beyond=width_missed,
    constants={"factor": 2.0, "rate": 10.0},
).with_twins(
    with_constants("1/50 in place of 2", factor=0.02),
    scaled("R squared in place of R", rhs=lambda p, q, c: distance(q) / p.sigma / 10),
)
derived = Form(lhs, rhs, assumptions=some_near, of_problem=RELU).with_twins(
    Twin("the smaller of p and q", rhs=lower_side),
    scaled("m squared", rhs=lambda p, q, c: 1 / p.m),
)
