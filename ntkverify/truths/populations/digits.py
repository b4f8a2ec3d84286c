"""scikit-learn's bundled handwritten digits, 8 × 8 pixels, in their first d principal components."""

import numpy as np
from sklearn.datasets import load_digits

from ntkverify.truths.mixtures import atoms
from ntkverify.truths.population import Population, population, require

PIXELS, CLASSES, IMAGES = 64, 10, 1797


def load(d: int, components: int, seed: int) -> Population:
    """`components` images chosen by the seed as atoms; d = 64 leaves the pixels as they are, up to a rotation."""
    require("digits", "d", d, least=1, most=PIXELS)
    require("digits", "components", components, least=CLASSES, most=IMAGES)
    images = np.asarray(load_digits(return_X_y=True)[0])
    centre = images.mean(axis=0)
    _, values, axes = np.linalg.svd(images - centre, full_matrices=False)
    rows = np.sort(np.random.default_rng(seed).choice(IMAGES, components, replace=False))
    kept = float(np.sum(values[:d] ** 2) / np.sum(values**2))
    origin = f"{components} images of scikit-learn's digits in {d} principal components ({kept:.0%} of the variance)"
    return population("digits", atoms((images[rows] - centre) @ axes[:d].T), origin, CLASSES, centre, axes[:d])
