"""scikit-learn's two moons as an empirical mixture: its points are the atoms."""

from sklearn.datasets import make_moons

from ntkverify.truths.mixtures import atoms
from ntkverify.truths.population import Population, population, require


def load(d: int, components: int, seed: int) -> Population:
    """`components` points of the two moons in the plane."""
    require("moons", "d", d, least=2, most=2)
    require("moons", "components", components, least=2)
    points, _ = make_moons(components, noise=0.05, random_state=seed)
    return population("moons", atoms(points), f"{components} points of scikit-learn's two moons (seed {seed})", 2)
