"""What is asked of `realise`, on the command line and by the library alike; without JAX, so that help is there at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What is asked beside the problem, whose own m and σ are left aside."""

    m: int | None = None
    """Width (default: the smallest that is certified; with --train the first of 256, 512, … that is)."""
    sigma: float | None = None
    """Standard deviation of the initial weights (default: the best of several; with --train 1)."""
    seed: int = 0
    """Seed of the network, and of the data where they are drawn."""
    keep: float = 0.5
    """Share of λ that the ball must keep; a smaller share certifies smaller widths and slower rates."""
    theta: float = 0.1
    """θ: share of a step that its remainder may eat; a larger one allows larger steps and needs more neurons."""
    follow: int = 0
    """Where W(0) is not certified, follow gradient descent for up to so many steps with every rounding enclosed, and
    certify from there: far smaller widths, and slower."""
    train: bool = False
    """Train to (nearly) zero loss first, by Gauss–Newton, and certify the trained network: far more data, and not to be
    compared with widths from W(0)."""
    max_width: int = 65536
    """Widths up to this one are tried."""
    accuracy: float = 1e-3
    """The run ends when the loss has fallen to this share."""
    budget: int = 20000
    """The run ends after this many steps, or sooner where they would take more than about ten minutes."""
