r"""What noisy labels add to the loss

Source: docs/theory.md §6; Vincent, A connection between score matching and denoising autoencoders (2011)
Setting: $p_0$ puts equal mass on the targets $y_1, \dots, y_n$; $X_t = \alpha_t X_0 + \sqrt{h_t}\,Z$, $\pi_j(x) = P(X_0 = y_j \mid X_t = x)$, $f^*(t,x) = \sum_j \pi_j(x)\, y_j$. Any estimator $f$, here the network's outputs $f_i = F(x_i;\tilde W)$.
Measured: At the $n$ points $\alpha_t y_i + \sqrt{h_t}\,\varepsilon_i$, $\varepsilon_i$ random signs, and $t = 0.5$ (a constant of the claim). Left, $\pi_j$ by Bayes' rule from the distances to the targets; right, $f^*$ and the posterior covariance of the mixture in closed form.
Refuted by: One point at which the two sides differ by more than rounding.

[derived]
Direction: equality
Statement: $$ \sum_j \pi_j(x)\,\|f - y_j\|^2 = \|f - f^*(t,x)\|^2 + \mathrm{tr}\,\mathrm{Cov}(X_0 \mid X_t = x) $$
Proof: Expand $\|f - y_j\|^2 = \|f - f^*\|^2 + 2\langle f - f^*, f^* - y_j\rangle + \|f^* - y_j\|^2$ and average over $j$: the middle term vanishes because $f^* = \sum_j\pi_j y_j$.
Note: The second term does not depend on $f$: the labels $X_0$ teach $f^*$ in the mean, and training to zero loss on them means fitting that term, which is why noisy labels need early stopping.
"""

import jax
import jax.numpy as jnp

from ntkverify.statements.form import Form, Twin, scaled
from ntkverify.truths.estimator import noisy, regression_error
from ntkverify.truths.mixtures import atoms, covariance
from ntkverify.truths.process import noise, signal


def averaged(problem, t, x, f, alpha):
    """Σ_j π_j ‖f − y_j‖², π_j ∝ exp(−‖x − α y_j‖²/(2h)); (n,)."""
    apart = jnp.sum((x[:, None] - alpha[:, None, None] * problem.y[None]) ** 2, axis=2)
    shares = jax.nn.softmax(-apart / (2 * noise(t)[:, None]), axis=1)
    return jnp.sum(shares * jnp.sum((f[:, None] - problem.y[None]) ** 2, axis=2), axis=1)


def lhs(problem, point, c):
    t, x, f = noisy(problem, point, c["t"])
    return averaged(problem, t, x, f, signal(t))


def apart(problem, point, c):
    """‖f − f*‖²."""
    return regression_error(problem, point, c["t"])


def spread(problem, point, c):
    """tr Cov(X_0 | X_t = x)."""
    t, x, _ = noisy(problem, point, c["t"])
    return jnp.trace(covariance(atoms(problem.y), t, x), axis1=1, axis2=2)


def rhs(problem, point, c):
    return apart(problem, point, c) + spread(problem, point, c)


def without_signal(problem, point, c):
    t, x, f = noisy(problem, point, c["t"])
    return averaged(problem, t, x, f, jnp.ones_like(t))


derived = Form(lhs, rhs, constants={"t": 0.5}).with_twins(
    Twin("the posterior variance dropped", rhs=apart),
    Twin("the regression error dropped", rhs=spread),
    Twin("α_t missing in the posterior", lhs=without_signal),
    scaled("one part in a thousand million wrong", lhs=1 + 1e-9),
)
