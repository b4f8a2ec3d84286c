"""A score in the units of the data, and what is drawn with it.

The forward process is dY = −½ (Y − c) dt + s dB, c the data's centre and s their spread:

    Y_t = c + e^{−t/2} (Y_0 − c) + s √(1 − e^{−t}) Z,   Z standard normal.

(Y − c)/s is the X of docs/theory.md §6, in which networks learn and samplers walk.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from ntkverify.diffusion.sampling import ODE, SDE, Score, denoised, evaluated, grid, walked
from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput, choose
from ntkverify.networks import arguments

METHODS = {"sde": SDE, "ode": ODE}


@dataclass(frozen=True, eq=False)
class Sampler:
    """A score ∇log q_t of Y_t: call it at points and times, or `sample`."""

    score: Score
    """Of X_t."""
    start: Callable[[PRNGKeyArray, int], Float[Array, "n d"]]
    """Draws of X_T."""
    centre: np.ndarray
    """(d,), c."""
    spread: float
    """s."""
    span: tuple[float, float]
    """The earliest t and the horizon T."""
    floats: int
    """About how many numbers one evaluation at one point holds."""

    def __call__(self, x: Float[ArrayLike, "n d"], t: Float[ArrayLike, "..."]) -> Float[Array, "n d"]:
        """The score at points x (n, d), in the units of the data, and times t, a scalar or (n,), earliest ≤ t ≤ T.

        Under `jax.jit` and its kin the values of t are not looked at.  Raises `BadInput`.
        """
        points = self.points(x)
        times = self._times(t, len(points))
        return evaluated(self.score, times, (points - self.centre[None]) / self.spread) / self.spread

    def sample(
        self, n: int, key: PRNGKeyArray, method: str = "sde", steps: int = 100, denoise: bool = True
    ) -> Float[Array, "n d"]:
        """n samples by the reverse SDE (Euler–Maruyama) or with method="ode" the probability flow (Heun), from T down to
        the earliest t in `steps` steps of geometric length.

        They end with E[Y_0 | Y_t] as the score has it, without `denoise` at Y_t itself.  Paths that diverge are NaN, and a
        warning says how many.  The same key gives the same samples.  Raises `BadInput`.
        """
        n, steps = arguments.whole("n", n), arguments.whole("steps", steps)
        kind = METHODS[choose("method", arguments.text("method", method), METHODS)]
        last = arguments.flag("denoise", denoise)
        begin, wander = jax.random.split(arguments.random_key(key))
        require_memory(8 * n * (self.floats + len(self.centre) * (steps + 8)), f"{n} samples", "fewer at a time")
        walk = walked(kind, self.score, self.start(begin, n), grid(*self.span, steps), wander)
        if walk.diverged:
            warnings.warn(walk.sentence, RuntimeWarning, stacklevel=2)
        ends = jnp.where(walk.lost[:, None], jnp.nan, walk.last)
        ends = denoised(self.score, jnp.full(n, self.span[0]), ends) if last else ends
        return ends * self.spread + self.centre[None]

    def points(self, x: Any) -> Any:
        """(n, d) points, read; `BadInput` for anything else."""
        d = len(self.centre)
        found = x if isinstance(x, Tracer) else arguments.reals("x", x)
        if found.ndim != 2 or found.shape[1] != d:
            attempt = "x[None]" if found.shape == (d,) else ""
            raise BadInput(f"x of shape {tuple(found.shape)}", f"points (n, {d})", attempt)
        return jnp.asarray(found, jnp.float64)

    def _times(self, t: Any, n: int) -> Any:
        traced = isinstance(t, Tracer)
        found = t if traced else arguments.reals("t", t)
        if found.shape not in ((), (n,)):
            raise BadInput(f"t of shape {tuple(found.shape)} for {n} points", f"one time, or one for each point ({n},)")
        least, most = self.span
        if not traced and found.size and not (found.min() >= least and found.max() <= most):
            far = found.min() if found.min() < least else found.max()
            raise BadInput(f"t = {far:g}", f"{least:g} ≤ t ≤ {most:g}, where the score was learned", f"t={least:g}")
        return jnp.broadcast_to(jnp.asarray(found, jnp.float64), (n,))
