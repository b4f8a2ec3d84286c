"""The verb `learn_score`: a population or samples → a score with its error, ready to be used."""

from typing import Any

import numpy as np
from jaxtyping import ArrayLike, Float

from ntkverify import catalogue
from ntkverify.diffusion.learned import (
    SIZES,
    bytes_needed,
    diverged,
    lesson,
    listed,
    plain,
    population,
    regression,
    stopped,
)
from ntkverify.diffusion.learned_score import MIXTURE, LearnedScore, require_float64
from ntkverify.diffusion.lesson import Lesson, Regression
from ntkverify.diffusion.stages import PARTS, STAGES, WITHOUT_TRUTH, differences, predictions, split
from ntkverify.diffusion.walks import SHOWN
from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.notebook import bar
from ntkverify.networks import arguments
from ntkverify.networks.kinds import elsewhere
from ntkverify.truths.process import check_times, noise, signal

HELD_OUT = 5
"""One of so many of the rows given is held out."""
MOST_STEPS = 2**20


def learn_score(
    data: "str | Float[ArrayLike, 'N d']" = "moons", network: str = "softmax", *, n: int = 768, m: int = 512,
    steps: int = 2048, seed: int = 0, d: int | None = None, components: int | None = None, radius: float = 2.0,
    sigma: float = 1.0, earliest: float = 0.05, horizon: float = 4.0, test: int = 1024,
) -> LearnedScore:  # fmt: skip
    """Learn the score of a diffusion model, and say where its error comes from.

    `data` is a population whose score is known (gaussian, mixture, moons, swissroll, digits; of dimension `d`, with so many
    `components`), or samples (N, d) of your own: then a fifth of them is held out, and what needs the truth is None.  A
    two-layer network of `m` neurons learns E[X_0 | X_t] from `n` pairs (X_t, X_0), log t uniform on [earliest, horizon], by
    gradient descent of at most `steps` steps at 1/(s_m λ_max(H(0))) from a coupled start, stopped by half of `test` pairs.
    Inputs are clipped at `radius` √d.  The same settings give the numbers of the study `diffusion`.

    In the units of the data the forward process is Y_t = c + e^{−t/2} (Y_0 − c) + s √(1 − e^{−t}) Z, where c and s² are mean
    and mean coordinate variance of the samples (of a population 0 and 1, as it comes).  Needs 64-bit numbers.  Raises
    `BadInput`.  Source: docs/theory.md §6, ntkverify/studies/diffusion.py.

    >>> import jax
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> learned = nv.learn_score("gaussian", n=16, m=32, steps=64, test=32)
    >>> x = learned.sample(5, jax.random.key(0))
    >>> learned(x, 0.1).shape, learned.exact(x, 0.1).shape
    ((5, 2), (5, 2))
    >>> learned.error["coupling"] < learned.error["total"] < learned.error["trivial"]
    True
    """
    require_float64()
    named = isinstance(data, str)
    if named:
        sizes = SIZES[choose("data set", data, SIZES)]
        rows = None
        given = {name: value for name, value in (("d", d), ("components", components)) if value is not None}
        sizes = sizes | {name: arguments.whole(name, value) for name, value in given.items()}
    else:
        rows = _rows(data, d, components)
        sizes = {"d": rows.shape[1], "components": 1}
    steps = arguments.whole("steps", steps, 1, MOST_STEPS)
    params = {
        "data": data if named else "samples", "network": arguments.text("network", network), **sizes,
        "n": arguments.whole("n", n, (sizes["components"] if data == "mixture" else 2) if named else 1), "m": arguments.whole("m", m),
        "steps": steps, "doublings": steps.bit_length() - 1, "seed": arguments.seed(seed), "test": arguments.whole("test", test, 4),
        "radius": arguments.real("radius", radius, "a finite number above 0", 0), "sigma": arguments.real("sigma", sigma, "a finite number of at least 0", least=0),
        "earliest": arguments.real("earliest", earliest, "a time above 0", 0), "horizon": arguments.real("horizon", horizon, "a time above 0", 0),
        "population": 1,
    }  # fmt: skip
    check_times(params["earliest"], params["horizon"])
    if reason := elsewhere("logits", catalogue.network(params["network"])):
        raise BadInput(f"network {params['network']!r} ({reason})", "a network such as softmax", "network='softmax'")
    require_memory(bytes_needed(params), f"learning from n = {n} pairs at m = {m}", "a smaller n or m")
    with bar() as told:

        def heard(what: str) -> None:
            told(what, 0, 0)

        heard("a network at its start")
        return _of_population(params, heard) if rows is None else _of_samples(params, rows, heard)


def _rows(data: Any, d: int | None, components: int | None) -> np.ndarray:
    """Samples that can be learned from, (N, d)."""
    rows = arguments.reals("data", data)
    if rows.ndim != 2 or not rows.shape[1]:
        attempt = "data.reshape(-1, 1)" if rows.ndim == 1 and rows.size else ""
        raise BadInput(f"data of shape {rows.shape}", f"samples (N, d), or one of {', '.join(SIZES)}", attempt)
    if len(rows) < 3:
        raise BadInput(f"data of {len(rows)} samples", "at least three")
    for name, value in (("d", d), ("components", components)):
        if value is not None:
            raise BadInput(
                f"{name} = {value!r} beside samples", "sizes for a population that is named", f"leaving {name} out"
            )
    return rows


def _of_population(params: dict, heard) -> LearnedScore:
    try:
        of = population(params)
    except BadInput as error:  # which speaks to the command line
        raise BadInput(error.given, error.wanted, error.attempt.removeprefix("--grid ")) from None
    own = lesson(params, of, params["seed"])
    arrays = {"centre": np.zeros(params["d"]), "spread": np.asarray(1.0)}
    kept = {name: getattr(of.mixture, name) for name in MIXTURE}
    arrays |= {name: np.asarray(array) for name, array in kept.items() if array is not None}
    if len(of.centre):
        arrays |= {"image_centre": of.centre, "image_basis": of.basis}
    return _learned(params, own, of.origin, arrays, heard)


def _of_samples(params: dict, rows: np.ndarray, heard) -> LearnedScore:
    order = np.random.default_rng(params["seed"]).permutation(len(rows))
    held = max(1, len(rows) // HELD_OUT)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        centre = rows[order[held:]].mean(axis=0)
        spread = float(np.sqrt(np.mean((rows[order[held:]] - centre) ** 2)))
    if not (np.isfinite(spread) and spread > 0):
        raise BadInput("samples without a spread, or one that floats cannot hold", "different samples of moderate size")
    learn, held_out = (rows[order[held:]] - centre) / spread, (rows[order[:held]] - centre) / spread
    own = regression(params, learn, held_out, params["seed"])
    values, V = np.linalg.eigh(learn.T @ learn / len(learn))
    alpha, h = float(signal(params["horizon"])), float(noise(params["horizon"]))
    root = (V * np.sqrt(alpha**2 * np.maximum(values, 0) + h)) @ V.T  # of Cov(X_T): samples start from that Gaussian
    arrays = {"centre": centre, "spread": np.asarray(spread), "root": root, "shown": rows[order[:held]][:SHOWN]}
    return _learned(params, own, f"{len(rows)} samples, {held} of them held out", arrays, heard)


def _learned(params: dict, own: Regression, origin: str, arrays: dict, heard) -> LearnedScore:
    """Train, stop, split the error as far as the truth is known."""
    known = isinstance(own, Lesson)
    stages = predictions(own, STAGES if known else WITHOUT_TRUTH, heard)
    if said := diverged(own, stages):
        raise BadInput(said, "a training that converges", "a larger m, or another network")
    fitted, place = stopped(own, stages)
    half, noisy = len(own.test.noisy) // 2, np.asarray(own.test.noisy)
    curves: dict = dict.fromkeys((*PARTS, "cross", "bias", "total"))
    if known:
        found = split(own, stages)
        curves |= dict(zip(PARTS, found.parts, strict=True))
        curves |= {"cross": found.cross, "bias": found.bias, "total": found.total}
        trivial = np.mean(np.sum(np.asarray(own.test.clean) ** 2, axis=1))
    else:
        curves[PARTS[0]] = np.mean(np.sum(differences(own, stages, WITHOUT_TRUTH)[0] ** 2, axis=2), axis=1)
        trivial = None
    curves["held out"] = np.mean(np.sum((fitted[:, half:] - noisy[None, half:]) ** 2, axis=2), axis=1)
    error = plain(
        {name: None if curve is None else curve[place] for name, curve in curves.items()} | {"trivial": trivial}
    )
    times, net = np.asarray(own.times).tolist(), own.net(place)
    about = {
        "settings": params, "origin": origin, "times": times, "stop": times[place], "error": error,
        "curves": {name: listed(curve) for name, curve in curves.items() if curve is not None},
        "sentence": _sentence(times[place], error),
    }  # fmt: skip
    kept = {"W": net.W, "a": net.a, "radius": own.radius, "scale": own.scale}
    return LearnedScore(about, arrays | {name: np.asarray(value, np.float64) for name, value in kept.items()})


def _sentence(stop: int, error: dict) -> str:
    begun = f"Stopped at τ = {stop} by held-out pairs"
    known = [f"{name} {error[name]:.2g}" for name in (*PARTS, "cross") if error[name] is not None]
    if error["total"] is None:
        missing = ", ".join(name for name in PARTS if error[name] is None)
        return (
            f"{begun}: E‖f − X_0‖² = {error['held out']:.3g} at others of rows held out, {', '.join(known)}; {missing} and "
            "the total ask for the truth, which samples do not tell."
        )
    share = error["total"] / error["trivial"]
    return (
        f"{begun}: E‖f − f*‖² = {error['total']:.3g}, {share:.0%} of the error of the constant 0 ({', '.join(known)}; early "
        f"stopping and approximation together {error['bias']:.2g})."
    )
