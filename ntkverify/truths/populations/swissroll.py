"""scikit-learn's Swiss roll as an empirical mixture: its points are the atoms."""

from sklearn.datasets import make_swiss_roll

from ntkverify.truths.mixtures import atoms
from ntkverify.truths.population import Population, population, require


def load(d: int, components: int, seed: int) -> Population:
    """`components` points of the Swiss roll; d = 2 keeps the spiral alone."""
    require("swissroll", "d", d, least=2, most=3)
    require("swissroll", "components", components, least=2)
    points, _ = make_swiss_roll(components, noise=0.3, random_state=seed)
    kept = points[:, [0, 2]] if d == 2 else points
    return population("swissroll", atoms(kept), f"{components} points of scikit-learn's Swiss roll (seed {seed})", 2)
