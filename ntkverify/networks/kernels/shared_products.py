"""The NTK Gram matrix from products that outputs share, where that is as exact as the closed form.

With signs a = ±1, s = m S (or φ') and P_c = Σ_r c_r s_{i,r} s_{j,r},

    Σ_r (a_l − f_{l,i}) (a_k − f_{k,j}) s_{i,r} s_{j,r} = P_{a_l a_k} − f_{l,i} P_{a_k} − f_{k,j} P_{a_l} + f_{l,i} f_{k,j} P_1,

and P_{a_l a_l} = P_1: d(d−1)/2 + d + 1 products for softmax, d(d−1)/2 + 1 for elementwise networks, each symmetric,
in place of d² (docs/theory.md §2, derived).  The difference loses digits where |f| is near 1, so there, and where a is no
sign, the closed form itself is used.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.autodiff import autodiff
from ntkverify.networks.kernels.closed_form import closed_form, counted, in_all, over_neurons, softmax_mean
from ntkverify.networks.nouns import Model, Params, Problem

FEWEST = 3
"""Outputs from which on there are fewer products than d²."""
PARTS = 4
"""Blocks of rows; of a symmetric product only the blocks up to the diagonal are computed, here ten of sixteen."""
LARGEST_MEAN = 0.5
"""max |f| up to which at most a factor (1 + f)²/(1 − f)² = 9 of the closed form's precision is lost."""


@full_precision
def shared_products(
    problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None, axis: str | None = None
) -> Float[Array, "nd n2d"]:
    """`closed_form`, by fewer products if it may (of a model of the user's: `autodiff`); under `vmap` it pays for both.  To be differentiated in W and X, not
    in the signs, whose squares count as constant."""
    if isinstance(problem.network, Model):
        return autodiff(problem, params, X2)
    if X2 is not None or problem.d_out < FEWEST or problem.network.neuron is not None:
        return closed_form(problem, params, X2, axis)
    signs = params.a**2 == 1
    others = jnp.sum(~(signs if params.mask is None else signs | ~params.mask[None]))
    may = in_all(others, axis) == 0
    mean = None
    if problem.network.normalised:
        mean = softmax_mean(problem.network, problem.X, params, axis)
        may &= jnp.max(jnp.abs(mean[2])) <= LARGEST_MEAN
    return jax.lax.cond(
        may, lambda: _shared(problem, params, mean, axis), lambda: closed_form(problem, params, None, axis)
    )


def _shared(problem: Problem, params: Params, mean, axis: str | None):
    X, n, d, m = problem.X, problem.n, problem.d_out, in_all(params.m, axis)
    pairs = [(l, k) for l in range(d) for k in range(l)]
    left, right = (np.asarray(side) for side in zip(*pairs, strict=True))
    edges = [n * part // min(PARTS, n) for part in range(min(PARTS, n) + 1)]
    rows = list(itertools.pairwise(edges))
    count = 1 + len(pairs) + (0 if mean is None else d)

    def add(sums, block):
        W, a, fresh = block
        U = X @ W
        if mean is None:
            s = problem.activation.slope(U) * fresh[None]
        else:
            s = m * jnp.exp(counted(U, fresh, params) - mean[0]) / mean[1] * fresh[None]
        signs = [jnp.ones_like(a[:1]), a[left] * a[right]] + ([] if mean is None else [a])
        signs = jnp.concatenate(signs)[:, None]
        return [
            P + (signs * s[None, low:high]).reshape(-1, s.shape[1]) @ s[:high].T
            for P, (low, high) in zip(sums, rows, strict=True)
        ]

    sums = over_neurons(add, [jnp.zeros((count * (high - low), high), X.dtype) for low, high in rows], params)
    sums = in_all(sums, axis)
    below = [
        jnp.pad(P.reshape(count, -1, high), ((0, 0), (0, 0), (0, n - high)))
        for P, (_, high) in zip(sums, rows, strict=True)
    ]
    lower = jnp.tril(jnp.concatenate(below, axis=1))
    products = lower + jnp.swapaxes(jnp.tril(lower, -1), 1, 2)
    which = np.zeros((d, d), int)
    which[left, right] = which[right, left] = 1 + np.arange(len(pairs))
    H = products[which]  # (d, d, n, n)
    if mean is not None:
        f, single = mean[2].T, products[1 + len(pairs) :]
        f_i, f_j = f[:, None, :, None], f[None, :, None, :]
        H = H - f_i * single[None] - f_j * single[:, None] + f_i * f_j * products[:1][None]
    return (H * (X @ X.T / m)[None, None]).transpose(2, 0, 3, 1).reshape(n * d, n * d)
