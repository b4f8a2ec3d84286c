"""A trainer that comes near zero loss in a few steps: Gauss–Newton through the kernel.

W ← W − Jᵀ(JJᵀ)⁻¹e, with the Cholesky factor of JJᵀ = mH kept from step to step (a chord method) while ‖e‖ falls fast; otherwise it is
made anew where W is.  Plain floats: nothing that is proved rests on them.  Work (nd)²m + (nd)³/3 a factor, memory one matrix.
"""

import math
from collections.abc import Callable

import jax
import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ntkverify.convergence import bounded
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quantities import pulled_back, residual

FAST, ENOUGH, MOST = 4.0, 1e-8, 40
"""By how much a step shall shrink ‖e‖; the share of ‖Y‖ at which training ends; steps at most."""

_residual, _pulled, _kernel = jax.jit(residual), jax.jit(pulled_back), jax.jit(closed_form)


def fitted(
    problem: Problem, start: Params, heard: Callable[[str, int, int], None] = lambda what, done, total: None
) -> Params:
    """The network that Gauss–Newton comes to from `start`, with F_0 = 0; the best one seen where it does not converge."""
    net, factor, fresh, share = start, None, False, 1.0
    size = _size(problem, net)
    enough = ENOUGH * max(float(np.linalg.norm(problem.y)), math.sqrt(problem.n))
    for step in range(MOST):
        if not math.isfinite(size) or size <= enough:
            break
        heard(f"m = {problem.m}: Gauss–Newton, ‖e‖ = {size:.3g}", step, MOST)
        if factor is None:
            factor, fresh = _factor(problem, net), True
        if factor is None:
            break
        after = Params(net.W - share * _step(problem, net, factor), net.a, net.live)
        found = _size(problem, after)
        if found < size:
            factor = factor if found <= size / FAST else None
            net, size, fresh = after, found, False
        elif fresh:
            share /= 2
        else:
            factor = None  # the kernel of an earlier W led astray
    return net


def _size(problem: Problem, net: Params) -> float:
    return float(np.linalg.norm(_residual(problem, net)))


def _factor(problem: Problem, net: Params):
    """Of H, and whether its rows are output slow; None where there is none."""
    own = bounded.covers(problem.network)
    H = bounded.kernel(problem, net, bounded.seen(problem, net)).mid if own else np.array(_kernel(problem, net))
    try:
        return *cho_factor(H, lower=True, overwrite_a=True, check_finite=False), own
    except np.linalg.LinAlgError:
        return None


def _step(problem: Problem, net: Params, factor):
    L, lower, own = factor
    e = np.asarray(_residual(problem, net))
    solved = cho_solve((L, lower), (e.T if own else e).ravel(), check_finite=False) / problem.m
    v = solved.reshape(e.T.shape).T if own else solved.reshape(e.shape)
    return _pulled(problem, net, v)
