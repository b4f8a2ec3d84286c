"""One Gaussian: the denoiser is linear in x, and label noise is Gaussian, so predictions are exact."""

import numpy as np

from ntkverify.truths.mixtures import gaussians
from ntkverify.truths.population import Population, population, require


def load(d: int, components: int, seed: int) -> Population:
    """N(0, Σ) on R^d with variances spread over a factor 4; `components` must be 1."""
    require("gaussian", "components", components, least=1, most=1)
    require("gaussian", "d", d)
    variances = np.geomspace(0.5, 2.0, d) if d > 1 else np.ones(1)
    mixture = gaussians([1.0], np.zeros((1, d)), np.diag(variances)[None])
    return population("gaussian", mixture, f"one Gaussian on R^{d}", 1)
