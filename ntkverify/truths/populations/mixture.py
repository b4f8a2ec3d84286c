"""A mixture of Gaussians with different weights, means and covariances, in any dimension."""

import numpy as np

from ntkverify.truths.mixtures import gaussians
from ntkverify.truths.population import Population, population, require


def load(d: int, components: int, seed: int) -> Population:
    """`components` Gaussians on R^d: means on a sphere of radius 2√d, standard deviations near 0.5."""
    require("mixture", "components", components)
    require("mixture", "d", d)
    rng = np.random.default_rng(seed)
    if d == 2:  # evenly around a circle, or random means would overlap
        angles = 2 * np.pi * np.arange(components) / components
        directions = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        directions = rng.standard_normal((components, d))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    axes, _ = np.linalg.qr(rng.standard_normal((components, d, d)))
    variances = 0.25 * np.exp(rng.uniform(-1, 1, (components, d)))
    covariances = np.einsum("kia,ka,kja->kij", axes, variances, axes)
    weights = np.arange(1, components + 1) / (components * (components + 1) / 2)
    mixture = gaussians(weights, 2 * np.sqrt(d) * directions, (covariances + covariances.transpose(0, 2, 1)) / 2)
    return population("mixture", mixture, f"{components} Gaussians on R^{d} (seed {seed})", components)
