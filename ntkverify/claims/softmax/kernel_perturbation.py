r"""Kernel perturbation

Source: Lemma 5.1 of arXiv:2405.03251 (v2)
Networks: softmax
Setting: Softmax network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$; $\kappa = \max_{i,r} m S_{i,r}$ at $W$.
Measured: $R$ is what it is at the point, $\max_r\|\widetilde w_r - w_r\|$. The supremum over the ball is replaced by points at distance $R$: one random, one with every neuron moved along $a_{1,r}\,x_1$, one along $a_{1,r}a_{d,r}\,x_1$, one with a single neuron against all others, one along the gradient of the left side. So what is seen is a lower bound on the supremum.
Refuted by: One point of the ball at which the kernel moves further.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $R \le 0.01$ and $\max|\langle w_r,x_i\rangle| \le B = \max(C\sigma\sqrt{\log(nd/\delta)},\, 1)$, $C = 10$.
Statement: $$ \|H(\widetilde W) - H(W)\|_F \le R\, n d\, e^{10B} $$
Note: Rebuilt from the proof technique; its constants (10 in the exponent, C, 0.01) are parameters, not the paper's printed ones.

[derived]
Direction: upper
Statement: $$ \|H(\widetilde W) - H(W)\|_F \le (e^{2R} - 1)\, d\,\kappa\, \|X X^\top\|_F \le (e^{2R}-1)\, n d\, \kappa \qquad \text{for every } R $$
Proof: Write $H_{pq} = \langle x_i,x_j\rangle\langle g_p, g_q\rangle$ with $g_p = \sqrt m\, S_i v_p$, $v_p = a_l - f_p$, a vector over neurons. Along the segment, with $z_{i,r} = \langle\widetilde w_r - w_r, x_i\rangle$, $|z| \le R$: $\dot S_i = S_i(z_i - \bar z_i)$ and $\dot f_p = \mathbb E_{S_i} Y_p$, $Y_p = v_p (z_i - \bar z_i)$, so $\dot g_p = \sqrt m\, S_i (Y_p - \mathbb E Y_p)$ and $\|\dot g_p\|^2 \le \kappa_t \mathrm{Var}_{S_i}(Y_p) \le \kappa_t R^2$ by the lemma below. As no softmax weight grows by more than $e^{2Rt}$, $\kappa_t \le e^{2Rt}\kappa$, and integrating, $\|\widetilde g_p - g_p\| \le (e^R - 1)\sqrt\kappa$. Also $\|g_p\|^2 \le \kappa(1 - f_p^2) \le \kappa$ and $\|\widetilde g_q\| \le e^R\sqrt\kappa$, hence $|\langle\widetilde g_p,\widetilde g_q\rangle - \langle g_p, g_q\rangle| \le (e^R-1)(e^R+1)\kappa$; sum the squares over $l, k$ and $i, j$. $\quad$ Lemma: $a, z \in [-1,1]$ implies $\mathrm{Var}((a - \mathbb E a)(z - \mathbb E z)) \le 1$. The variance is convex in $z$ for fixed $a$ and conversely, so let $a, z = \pm1$; with $f = \mathbb E a$, $s = \mathbb E z$, $c = \mathbb E az$ it equals $1 - (f^2 + s^2 + c^2 + 4f^2s^2 - 6fsc)$. With $p = |fs|$ the bracket is at least $\varphi = 2p + 4p^2 + c^2 - 6p|c|$. If $p \le 2/5$, $\varphi \ge 2p - 5p^2 \ge 0$; otherwise $3p > 1 \ge |c|$, $\varphi$ decreases in $|c|$ and $\varphi \ge (1-2p)^2 \ge 0$.
Note: Three times better than the $3(e^{2R}-1)nd\kappa$ that bounding each term of the derivative gives, and $\|XX^\top\|_F$ in place of n is a factor up to $\sqrt n$ for spread inputs. Entry by entry the constant is sharp to first order in R (uniform S, equal inputs, $z = R\,a_l a_k$).
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import distance, gram, in_small_ball, is_softmax, kappa, kernel_change, nominal_B
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    return kernel_change(problem, point)


def reconstructed_rhs(problem, point, c):
    nd = problem.n * problem.d_out
    return distance(point) * nd * jnp.exp(c["exponent"] * nominal_B(problem, c["C"]))


def derived_rhs(problem, point, c):
    return jnp.expm1(2 * distance(point)) * scale(problem, point)


def scale(problem, point):
    """d κ ‖XXᵀ‖_F."""
    return problem.d_out * kappa(problem, point.base) * jnp.sqrt(jnp.sum(gram(problem) ** 2))


def flipped(problem, point, c):
    return jnp.expm1(-2 * distance(point)) * scale(problem, point)


reconstructed = Form(
    lhs, reconstructed_rhs, assumptions=in_small_ball, constants={"exponent": 10.0, "C": 10.0, "R": 0.01}
).with_twins(
    with_constants("the exponent's sign flipped", exponent=-10.0),
    with_constants("the factor e^{10B} dropped", exponent=0.0),
)

derived = Form(lhs, derived_rhs, assumptions=is_softmax).with_twins(
    scaled("the factor ‖XXᵀ‖_F dropped", rhs=lambda p, q, c: 1 / jnp.sqrt(jnp.sum(gram(p) ** 2))),
    scaled("the factors d and 2 (of 2R, to first order) dropped", rhs=lambda p, q, c: 1 / (2 * p.d_out)),
    Twin("the sign of R flipped: 1 − e^{−2R} with the wrong sign", rhs=flipped),
    scaled("R squared in place of R", rhs=lambda p, q, c: distance(q)),
)
