"""Denoising score matching on the line as one convex program, whose optimum no network of any width goes below.

On the noisy inputs z_1 < … < z_p (without repetitions) every network is a combination of relu(x − z_k), k < p, of
relu(z_k − x), 1 < k < p, and a constant, and with balanced weights its decay is β Σ|α| (docs/findings/convex-score.md,
Theorem 2).  So the smallest objective is that of a lasso, min_{α,c} 1/(2n)‖Dα + c1 − t‖² + β‖α‖₁, and some optimum has at most
p − 1 neurons.  The solver is not trusted: its α is made a network, its residual a bound (`dual.py`), and both are enclosed.
"""

import importlib
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ntkverify.diffusion.denoising import Net, Task, output, task
from ntkverify.diffusion.dual import certified, objective_between
from ntkverify.ground.errors import BadInput

TOLERANCE = 1e-11
"""What the interior-point solver is asked for."""
SUPPORT = 1e-8
"""Coefficients below this share of the largest are tried as zeros."""


@dataclass(frozen=True)
class Optimum:
    """A network that attains the optimum, up to `gap`."""

    net: Net
    """(k,) weights, |w_r| = |a_r|."""
    bound: float
    """No network of any width has a smaller objective."""
    objective: float
    """The network's own is at most this."""

    @property
    def gap(self) -> float:
        """How far the network is from optimal, at most, as a share of its objective."""
        return (self.objective - self.bound) / self.objective if self.objective > 0 else 0.0

    @property
    def neurons(self) -> int:
        return len(self.net.w)

    def score(self, x) -> np.ndarray:
        """s(x) at (n,) places."""
        return np.asarray(output(self.net, jnp.asarray(x, float)))


def convex_score(noisy, targets, beta: float) -> Optimum:
    """The optimal network for these noisy inputs (n,), targets (n,) and weight decay; `.score` is the learned score.

    Outside the range of the noisy inputs, and where neighbouring kinks could be merged, other optimal networks may differ.
    """
    return optimum(task(noisy, targets, beta))


def optimum(task: Task) -> Optimum:
    """The convex program, solved and certified."""
    kinks, signs = places(task.noisy)
    D = columns(task.noisy, kinks, signs)
    alpha, residual = _better(D, task, _solved(D, task))
    used = np.flatnonzero(alpha)
    a = np.sign(alpha[used]) * np.sqrt(np.abs(alpha[used]))
    w = signs[used] * np.sqrt(np.abs(alpha[used]))
    net = Net(*(jnp.asarray(each) for each in (w, -w * kinks[used], a, np.mean(task.targets - D @ alpha))))
    return Optimum(net, certified(residual, task), objective_between(net, task)[1])


def places(noisy: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """Kinks and orientations of the dictionary: 2p − 3 neurons for p different inputs.

    relu(x − z_p) and relu(z_1 − x) vanish on the inputs, and there relu(z_p − x) is a constant less relu(x − z_1).
    """
    z = np.unique(noisy)
    return np.concatenate([z[:-1], z[1:-1]]), np.concatenate([np.ones(len(z) - 1), -np.ones(len(z) - 2)])


def columns(noisy: Float[np.ndarray, " n"], kinks, signs) -> Float[np.ndarray, "n k"]:
    """D: relu(±(x̃_i − z_k))."""
    return np.maximum(signs * (noisy[:, None] - kinks), 0.0)


def _solved(D: Float[np.ndarray, "n k"], task: Task) -> Float[np.ndarray, " k"]:
    """The lasso's α by cvxpy with Clarabel, in units in which inputs and targets have size 1."""
    cvxpy = solver()
    length, size = np.ptp(task.noisy), np.std(task.targets)
    if size == 0:  # a constant fits
        return np.zeros(D.shape[1])
    alpha, c = cvxpy.Variable(D.shape[1]), cvxpy.Variable()
    misfit = cvxpy.sum_squares((D / length) @ alpha + c - (task.targets - task.targets.mean()) / size) / 2
    decay = len(D) * float(task.beta) / (length * size)
    program = cvxpy.Problem(cvxpy.Minimize(misfit + decay * cvxpy.norm1(alpha)))
    program.solve(solver="CLARABEL", tol_gap_abs=TOLERANCE, tol_gap_rel=TOLERANCE, tol_feas=TOLERANCE)
    found = np.zeros(D.shape[1]) if alpha.value is None else np.asarray(alpha.value)
    return found * size / length


def solver():
    """cvxpy; `BadInput` where it or its solver is missing."""
    try:
        importlib.import_module("clarabel")
        return importlib.import_module("cvxpy")
    except ModuleNotFoundError as error:
        raise BadInput(
            f"a convex program without {error.name}", "that package", "pip install 'ntkverify[convex]'"
        ) from None


def _better(D, task: Task, alpha) -> tuple[np.ndarray, np.ndarray]:
    """The better of two: α as it was found, and the optimum near it with few neurons; with its residual."""
    allowed = len(D) * float(task.beta)
    centred, t = D - D.mean(axis=0), task.targets - task.targets.mean()

    def value(alpha):
        return np.sum((t - centred @ alpha) ** 2) / 2 + allowed * np.sum(np.abs(alpha))

    large = np.where(np.abs(alpha) > SUPPORT * np.abs(alpha).max(initial=0), alpha, 0.0)
    sparse = face(centred, t, allowed, fewest(centred, large))
    best = sparse if value(sparse) <= value(alpha) * (1 + 1e-13) else fewest(centred, alpha)
    return best, t - centred @ best


def face(centred: Float[np.ndarray, "n k"], t: Float[np.ndarray, " n"], allowed: float, alpha: Float[np.ndarray, " k"]):
    """The optimum over entries with these signs: towards the minimum as if signs were free; an entry that vanishes on the way
    is dropped, so that the objective falls with each step."""
    alpha = alpha.copy()
    while len(used := np.flatnonzero(alpha)):
        sign = np.sign(alpha[used])
        Q, R = np.linalg.qr(centred[:, used])
        goal = np.linalg.solve(R, Q.T @ t - allowed * np.linalg.solve(R.T, sign))
        falling = goal * sign <= 0
        if not falling.any():
            alpha[used] = goal
            break
        shares = np.where(falling, alpha[used] / np.where(falling, alpha[used] - goal, 1), np.inf)
        first = int(np.argmin(shares))
        alpha[used] += shares[first] * (goal - alpha[used])
        alpha[used[first]] = 0.0
    return alpha


def fewest(centred: Float[np.ndarray, "n k"], alpha: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """The same fit with independent columns: as long as those in use depend on each other, walk along a dependence, to the side
    on which Σ|α| does not grow, until an entry vanishes."""
    alpha = alpha.copy()
    while len(used := np.flatnonzero(alpha)):
        sizes = np.linalg.norm(centred[:, used], axis=0)
        _, values, rows = np.linalg.svd(centred[:, used] / sizes, full_matrices=True)
        if len(used) <= len(values) and values[-1] > len(used) * np.finfo(float).eps * values[0]:
            break
        along = rows[-1] / sizes
        along *= -1 if np.sign(alpha[used]) @ along > 0 else 1
        steps = np.where(along * alpha[used] < 0, -alpha[used] / np.where(along == 0, 1, along), np.inf)
        first = int(np.argmin(steps))
        alpha[used] += steps[first] * along
        alpha[used[first]] = 0.0
    return alpha
