r"""The initial kernel is near its limit

Source: Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054), Lemma 3.1, recalled; Hoeffding's inequality
Networks: relu
Setting: ReLU network at $W(0)$ with entries $\mathcal N(0,\sigma^2)$, of which $m'$ neurons are drawn: $m$, or $m/2$ in pairs. $K$ is the limit kernel, $\lambda_0 = \lambda_{\min}(K)$. The source has $\sigma = 1$ and independent neurons; $\mathbb 1[\langle w,x\rangle > 0]$ does not depend on $\sigma > 0$, and pairs give the same term twice, so that $m'$ takes the place of $m$.
Measured: $\|H(0) - K\|$ at each draw.
Refuted by: A rate of draws beyond the bound that is above $\delta$ with 95% confidence.

[reconstructed]
Direction: upper
Promise: 1 - delta
Statement: $$ \|H(0) - K\| \le \lambda_0/4 \qquad\text{once}\quad m' \ge c\,\frac{n^2\log(n/\delta)}{\lambda_0^2}, \quad c = 1, $$ unit inputs, one output, $\lambda_0 > 0$.
Note: The constant $c$ is a parameter, not the paper's. By the derived form $8\,\|XX^\top\|_F^2\log(n(n+1)/\delta)/\lambda_0^2$ neurons are enough. Where the width is not reached the verdict says by which factor it is missed.

[derived]
Direction: upper
Promise: 1 - delta
Statement: $$ \|H(0) - K\otimes I_d\|_F \le \|XX^\top\|_F\,\sqrt{d(4d-3)}\;\sqrt{\frac{\log(2N/\delta)}{2m'}}, \qquad N = \frac{n(n+1)}2\Big(1 + \frac{d(d-1)}2\Big) $$ for any inputs; one output: $\|XX^\top\|_F\sqrt{\log(n(n+1)/\delta)/(2m')}$.
Proof: Entry $(i,l),(j,l)$ of $H(0)$ is $\langle x_i,x_j\rangle$ times the mean of $m'$ independent copies of $\mathbb 1[\langle w,x_i\rangle>0]\,\mathbb 1[\langle w,x_j\rangle>0] \in [0,1]$, the same for every $l$ because $a_l^2 = 1$ (the two neurons of a pair give the same term). For $l \ne k$ the factor $a_la_k$ makes the terms lie in $[-1,1]$, with mean 0. Hoeffding: a mean of $m'$ terms in an interval of length $b$ is further than $bt$ from its expectation with probability at most $2e^{-2m't^2}$. There are $n(n+1)/2$ different pairs $i \le j$, and for each of them one mean for all $l = k$ and one for each $l < k$: $N$ in all. With $t = \sqrt{\log(2N/\delta)/(2m')}$ all hold together with probability $1-\delta$, and the squares sum to $\sum_{ij}\langle x_i,x_j\rangle^2\,(d\,t^2 + d(d-1)\,4t^2)$.
"""

import math

import jax.numpy as jnp

from ntkverify.networks.gates import OF_SOURCE, POSITIVE, RANDOM, RELU, drawn, smallest
from ntkverify.networks.kernels.infinite_width import infinite_width
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import gram
from ntkverify.statements.form import Form, Twin, scaled


def change(problem, point):
    return kernel(problem, point.base) - infinite_width(problem)


def operator(problem, point, c):
    return jnp.max(jnp.abs(jnp.linalg.eigvalsh(change(problem, point))))


def quarter(problem, point, c):
    return smallest(problem) / 4


def width_missed(problem, point, c):
    """log₁₀ of c n² log(n/δ) / (λ₀² m')."""
    logs = jnp.log(c["c"] * problem.n**2 * jnp.log(problem.n / problem.delta) / drawn(problem))
    return (logs - 2 * jnp.log(jnp.maximum(smallest(problem), 1e-300))) / math.log(10)


def lhs(problem, point, c):
    return jnp.sqrt(jnp.sum(change(problem, point) ** 2))


def size(problem):
    """‖XXᵀ‖_F √(d(4d−3))."""
    d = problem.d_out
    return jnp.sqrt(jnp.sum(gram(problem) ** 2) * (d * (4 * d - 3)))


def deviation(problem, entries, neurons):
    """√(log(2 entries/δ) / (2 neurons))."""
    return jnp.sqrt(jnp.log(2 * entries / problem.delta) / (2 * neurons))


def rhs(problem, point, c):
    n, d = problem.n, problem.d_out
    entries = n * (n + 1) / 2 * (1 + d * (d - 1) / 2)
    return size(problem) * deviation(problem, entries, drawn(problem))


reconstructed = Form(
    operator,
    quarter,
    of_problem=OF_SOURCE | RANDOM | POSITIVE,
    beyond=width_missed,
    where=AT_START,
    constants={"c": 1.0, "least": 1e-9},
).with_twins(
    scaled("λ₀/100 in place of λ₀/4", rhs=0.04),
    Twin("λ₀² in place of λ₀, divided by the number of neurons", rhs=lambda p, q, c: smallest(p) ** 2 / drawn(p)),
)
derived = Form(lhs, rhs, of_problem=RELU | RANDOM, where=AT_START).with_twins(
    Twin("1/m' in place of its root", rhs=lambda p, q, c: rhs(p, q, c) / jnp.sqrt(1.0 * drawn(p))),
    scaled("the size of XXᵀ dropped, a mean entry in its place", rhs=lambda p, q, c: 1 / (4.0 * p.n)),
)
