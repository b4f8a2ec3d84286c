r"""The score error is a regression error

Source: docs/theory.md §6; Tweedie's formula (Robbins 1956, Vincent 2011)
Setting: $p_0$ puts equal mass on the targets $y_1, \dots, y_n$; $X_t = \alpha_t X_0 + \sqrt{h_t}\,Z$ with $\alpha_t = e^{-t/2}$, $h_t = 1 - \alpha_t^2$, $f^*(t,x) = \mathbb E[X_0 \mid X_t = x]$. Any estimator $f$ of $f^*$, here the network's outputs $f_i = F(x_i; \tilde W)$, and its score $s_f(t,x) = -(x - \alpha_t f)/h_t$.
Measured: At the $n$ points $\alpha_t y_i + \sqrt{h_t}\,\varepsilon_i$, $\varepsilon_i$ random signs, and $t = 0.5$ (a constant of the claim). Left, $\nabla\log p_t$ by automatic differentiation of the log density; right, $f^*$ as a softmax average of the targets. Both sides are functions of $f$ and $x$ as the floats give them.
Refuted by: One point at which the two sides differ by more than rounding.

[derived]
Direction: equality
Statement: $$ \frac{h_t^2}{\alpha_t^2}\,\|s_f(t,x) - \nabla\log p_t(x)\|^2 = \|f - f^*(t,x)\|^2 $$
Proof: $p_t(x) = \frac1n\sum_j N(x; \alpha_t y_j, h_t I)$, so $\nabla p_t(x) = -\frac1n\sum_j N(x;\alpha_t y_j,h_t I)\,(x - \alpha_t y_j)/h_t$, and dividing by $p_t$ turns the weights into $P(X_0 = y_j \mid X_t = x)$: $\nabla\log p_t(x) = -(x - \alpha_t f^*)/h_t$. Hence $s_f - \nabla\log p_t = \alpha_t (f - f^*)/h_t$.
Note: Averaged over $t$ and $x$ it says that learning $f^*$ in mean square is learning the score with weight $h_t^2/\alpha_t^2$. A score of the wrong sign, or without $\alpha_t$, is one of the twins.
"""

import jax.numpy as jnp

from ntkverify.statements.form import Form, Twin, scaled
from ntkverify.truths.estimator import noisy, regression_error
from ntkverify.truths.mixtures import atoms, differentiated_score
from ntkverify.truths.process import noise, score, signal, weight


def lhs(problem, point, c):
    t, x, f = noisy(problem, point, c["t"])
    return weighted(problem, t, x, score(t, x, f))


def weighted(problem, t, x, s):
    return weight(t) * jnp.sum((s - differentiated_score(atoms(problem.y), t, x)) ** 2, axis=1)


def rhs(problem, point, c):
    return regression_error(problem, point, c["t"])


def flipped(problem, point, c):
    t, x, f = noisy(problem, point, c["t"])
    return weighted(problem, t, x, -score(t, x, f))


def without_signal(problem, point, c):
    t, x, f = noisy(problem, point, c["t"])
    return weighted(problem, t, x, -(x - f) / noise(t)[:, None])


def without_weight(problem, point, c):
    return lhs(problem, point, c) * signal(noisy(problem, point, c["t"])[0]) ** 2


def one_power(problem, point, c):
    return lhs(problem, point, c) / noise(noisy(problem, point, c["t"])[0])


derived = Form(lhs, rhs, constants={"t": 0.5}).with_twins(
    Twin("the score's sign flipped", lhs=flipped),
    Twin("α_t missing in the score", lhs=without_signal),
    Twin("α_t² missing in the weight", lhs=without_weight),
    Twin("h_t in place of h_t²", lhs=one_power),
    scaled("one part in a thousand million wrong", lhs=1 + 1e-9),
)
