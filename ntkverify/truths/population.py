"""A distribution to learn: a standardised mixture, where it comes from, and how to draw its points."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ntkverify.ground.errors import BadInput
from ntkverify.truths.mixtures import Mixture, standardised


@dataclass(frozen=True)
class Population:
    """What X_0 is drawn from: mean 0 and mean coordinate variance 1."""

    name: str
    mixture: Mixture
    origin: str
    """One sentence on where it comes from."""
    parts: int
    """How many groups it has; fewer samples than that cannot show them all."""
    centre: np.ndarray
    """(pixels,) the image of x = 0, for pictures; empty where points are no images."""
    basis: np.ndarray
    """(d, pixels): x ↦ centre + x @ basis; empty where points are no images."""

    def images(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n pixels"]:
        """Points as images."""
        return self.centre + x @ self.basis


def population(
    name: str, mixture: Mixture, origin: str, parts: int, centre: np.ndarray | None = None,
    basis: np.ndarray | None = None,
) -> Population:  # fmt: skip
    """Standardise a mixture; `centre` and `basis` are given for it as it came."""
    scaled, shift, spread = standardised(mixture)
    if basis is None or centre is None:
        return Population(name, scaled, origin, parts, np.zeros(0), np.zeros((mixture.d, 0)))
    return Population(name, scaled, origin, parts, centre + shift @ basis, spread * basis)


def require(name: str, what: str, given: int, *, least: int = 1, most: int | None = None) -> None:
    """`BadInput` unless least ≤ given ≤ most."""
    if given < least or (most is not None and given > most):
        wanted = f"{least}" if least == most else f"{least} to {most}" if most else f"at least {least}"
        nearest = least if given < least else most
        raise BadInput(f"{what} = {given} for {name}", wanted, f"--grid {what}={nearest}")
