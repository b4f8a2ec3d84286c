r"""What the file of a lemma of your own imports: `from ntkverify.lemma import ...` goes on working, wherever things lie.

A lemma is one file (`ntkverify new claim mine.py` writes a true one, to be turned into yours).  Its docstring states it:
a title; `Source`, `Setting`, `Measured` and `Refuted by`; then a section for each form, `[derived]` with its proof or
`[reconstructed]` from somebody's text:

    Softmax weights move little in total variation

    Source: my notes
    Setting: Softmax network, any $W$, $\|\widetilde w_r - w_r\| \le R$ for every neuron, $\|x_i\| \le 1$.
    Measured: Both sides at every drawn point of the ball; $R$ is what it is at the point.
    Refuted by: One point at which the weights move further.

    [derived]
    Direction: upper
    Statement: $$ \max_i \|\widetilde S_i - S_i\|_1 \le 2\tanh(R/2) $$
    Proof: $\widetilde S \propto S e^z$ with $|z| \le R$; the worst case is two-valued.

`Direction` is upper, lower, tight (an upper bound that is attained: equal to rounding counts as held, where an upper one stays
undecided), equality or order; `Assumes` and `Promise` (1 - delta)
may be added.  Below it stand the formulas, and a `Form` for each form, under the form's name:

    import jax.numpy as jnp

    from ntkverify.lemma import Form, Twin, distance, is_softmax, scaled, softmax


    def lhs(problem, point, c):
        return jnp.max(jnp.sum(jnp.abs(softmax(problem, point.moved) - softmax(problem, point.base)), axis=1))


    def rhs(problem, point, c):
        return 2 * jnp.tanh(distance(point) / 2)


    derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
        scaled("the constant halved", rhs=0.5),
        Twin("R squared in place of R", rhs=lambda p, q, c: 2 * jnp.tanh(distance(q) ** 2 / 2)),
    )

Formulas are pure functions in `jax.numpy`, of three arguments: the problem (X, y, m, n, d_in, d_out, sigma, delta, init);
the point (W is `point.base.W`, W̃ is `point.moved.W`, the signs are `point.base.a`; `point.probe` is a random direction of
outputs, `point.path` how training came there); and the form's constants, by name.  Two sides of one shape are compared
entry by entry.  No tolerance is written: every rounding error is computed, that of a matrix product too, if the function
that multiplies is marked `@full_precision`.  What a claim holds for whatever it is, checked at one computed value, is
marked `given`: what holds on draws then speaks of that value, what is proved of the number itself.  A twin is a mutation
that must be false where the lemma is true: what cannot fail checks nothing.
"""

from ntkverify.arithmetic.primitives import given, second_order
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import displacement, smooth
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.infinite_width import infinite_width
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.models import parameters
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.nouns import AT_START, COUPLED, IN_BALL, INDEPENDENT, ON_PATH, Params, Point, Problem
from ntkverify.networks.quantities import (
    bent,
    curvature,
    distance,
    effective_B,
    eigenvalues,
    envelope,
    exponents_bounded,
    gram,
    in_small_ball,
    is_softmax,
    jacobian_distance,
    kappa,
    kernel_change,
    largest_exponent,
    logits,
    nominal_B,
    operator_norm,
    outputs,
    pulled_back,
    pushed,
    residual,
    softmax,
    squared_error,
    step_terms,
)
from ntkverify.statements.form import Form, Twin, always, scaled, with_constants

__all__ = [  # noqa: RUF022
    # Binding.
    "Form", "Twin", "scaled", "with_constants",
    # Where a form speaks, and of which initialisation (`problem.init`).
    "AT_START", "IN_BALL", "ON_PATH", "COUPLED", "INDEPENDENT",
    # What it may assume.
    "always", "is_softmax", "smooth", "exponents_bounded", "in_small_ball",
    # The arguments of formulas.
    "Problem", "Point", "Params",
    # The network, its kernel and their symbols, at (problem, params).
    "forward", "outputs", "residual", "squared_error", "logits", "softmax", "kappa", "largest_exponent", "effective_B",
    "parameters", "kernel", "closed_form", "infinite_width", "kernel_scale", "eigenvalues", "pulled_back", "pushed", "curvature", "step_terms",
    # Of the data and the scales.
    "gram", "operator_norm", "nominal_B",
    # Of two points, and of a path.
    "distance", "displacement", "kernel_change", "jacobian_distance", "bent", "envelope",
    # How to compute.
    "full_precision", "given", "second_order",
]  # fmt: skip
