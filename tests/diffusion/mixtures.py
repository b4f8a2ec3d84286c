"""A random mixture of Gaussians, for tests that need one."""

import numpy as np

from ntkverify.truths.mixtures import gaussians


def mixture_of(seed: int, d: int, k: int):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((k, d, d)) / 2 + np.eye(d)
    weights = rng.dirichlet(np.ones(k) * 3)
    covariances = roots @ roots.transpose(0, 2, 1) / d
    return gaussians(weights, 2 * rng.standard_normal((k, d)), (covariances + covariances.transpose(0, 2, 1)) / 2), rng
