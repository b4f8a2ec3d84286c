"""The verb `realise`: find the smallest width that is certified, train there, and look at every hypothesis.

What is proved is said by `certificate`; what is observed beside it is a run in floats (`observed`), and from below the
radius at which a search breaks the kept share of λ (`bracket`).
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ntkverify.convergence import bounded
from ntkverify.convergence.bracket import bracket, searchable
from ntkverify.convergence.certificate import Attempt, Certificate, attempt, certificate
from ntkverify.convergence.gauss_newton import fitted
from ntkverify.convergence.kept import Kept
from ntkverify.convergence.observed import observable, observations, observe, series
from ntkverify.convergence.options import Options
from ntkverify.convergence.smallest_width import (
    LARGE_SIGMAS,
    SIGMAS,
    bytes_needed,
    certified,
    drawn,
    impossible,
    smallest_certified,
)
from ntkverify.ground.environment import environment, require_memory
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import SCHEMA, save_arrays, save_results
from ntkverify.ground.shown import Kept as OnDisk
from ntkverify.ground.shown import Shown
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.described import digest
from ntkverify.networks.kinds import smooth
from ntkverify.networks.nouns import COUPLED, TRAINED, Params, Problem

CERTIFICATE = "certificate.json"
FIRST = 256
"""The first width at which a network is trained."""
LARGE = 512
"""Samples beyond which the limit kernel is not computed to see whether its λ is 0: λ at the start will say so."""


class Realised(Certificate, Shown):
    """A certificate of convergence, and what was seen beside it."""

    results: dict[str, Any]
    """The content of results.json: bounds, conclusions, margins, observations, bracket."""
    arrays: dict[str, np.ndarray]
    """The run that figures show: error, envelope, length, distance at `steps`, smallest eigenvalue at `times`."""

    def __init__(self, proved: Certificate, results: Mapping[str, Any]):
        super().__init__(proved, proved.floats)
        self.results, self.arrays = dict(results), {}

    def kept(self) -> OnDisk:
        """Its results and arrays; there are no draws."""
        return self.results, (), self.arrays


def realise(
    problem: Problem, row: Mapping, config: Mapping, options: Options, folder: Path | None = None,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None, start: Params | None = None,
) -> Realised:  # fmt: skip
    """Certify, run gradient descent from there, look; `row` describes the problem, `config` what was asked, `start` is a
    trained network where there is one.

    With a folder, the certificate is there before the run begins, results.json and arrays.npz after it, and steps that were
    followed are kept meanwhile (`kept.py`).
    Raises `BadInput` where no width is certified; after Ctrl-C during the run the certificate is kept and
    `results["complete"]` is False.
    """
    if not smooth(problem.network):
        raise BadInput(
            f"--network {problem.network.name}", "one whose second derivative has a known bound", "--network softmax"
        )
    kept = Kept.of(folder)
    found = _certified(problem, options, heard, kept) if start is None else _given(problem, options, start, heard)
    here, sigma = (
        environment(),
        float(found.problem.sigma) if start is None else None,
    )  # nobody knows how that was drawn
    origin = {"config": config, "data": row["origin"], "scaling": row["scaling"], "environment": here}
    made = Realised(certificate(found, origin), {
        "schema": SCHEMA, "verb": "realise", "config": config, "environment": here,
        "problems": [{**row, "m": found.problem.m, "sigma": sigma}], "kernels": [], "claims": [], **_proved(found), "sigma": sigma,
    })  # fmt: skip
    if folder is not None:
        made.save(folder / CERTIFICATE)
        kept.done()
    try:
        if observable(found):
            seen = observe(found, options.accuracy, options.budget, heard)
            made.arrays = (
                {} if found.kind == "trained" else series(found, seen)
            )  # a figure of rounding errors shows nothing
            made.results |= {"observations": observations(found, seen), "steps": seen.steps}
        if searchable(found):
            heard("searching where λ_min falls below the kept share", 0, 1)
            made.results |= {"bracket": bracket(found, options.seed)}
        made.results |= {"complete": True}
    except KeyboardInterrupt:
        pass  # `complete` says so
    if folder is not None:
        if made.arrays:
            save_arrays(folder, made.arrays)
        save_results(folder, made.results)
    return made


def _certified(problem: Problem, asked: Options, heard, kept: Kept) -> Attempt:
    """The certified network; `BadInput` where there is none, with the hypothesis that fails and by how much."""
    widest = asked.m or asked.max_width
    _room_for(problem, widest)
    if problem.init == COUPLED and asked.m is not None and asked.m % 2:
        raise BadInput(f"m = {asked.m} with coupled initialisation", "an even width, because neurons come in pairs")
    if asked.train and asked.follow:
        raise BadInput("train and follow", "one kind of start", "leaving follow out")
    if asked.train:
        return _trained(problem, asked, heard)
    if problem.n <= LARGE and (reason := infinite_bound(problem)):
        raise BadInput("data with λ = 0", reason, "other data, or fewer samples")
    sigmas = SIGMAS if problem.activation.neuron is None else SIGMAS + LARGE_SIGMAS
    sigmas, rest = (
        sigmas if asked.sigma is None else (asked.sigma,),
        (asked.keep, asked.theta, asked.follow, heard, kept),
    )
    if asked.m is None:
        found = smallest_certified(problem, asked.seed, asked.max_width, sigmas, *rest)
    else:
        at = drawn(problem, asked.seed, asked.m)
        found = max((certified(*at(sigma, asked.m), *rest) for sigma in sigmas), key=lambda found: found.closeness)
    if not found.proved:
        raise impossible(found, widest)
    return found


def _room_for(problem: Problem, widest: int) -> None:
    """`BadInput` where memory is too small."""
    n, d = problem.n, problem.d_out
    if bounded.covers(problem.network):
        needed = bounded.bytes_needed(problem, widest)
    else:
        width = problem.d_in if problem.activation.neuron is None else (n + 2) * problem.p
        needed = bytes_needed(n, width, d, widest)
    require_memory(needed, f"certifying up to {widest} neurons", "a smaller --max-width, or --m")


def _trained(problem: Problem, asked: Options, heard) -> Attempt:
    """A network that Gauss–Newton trained, certified there."""
    most = asked.m or asked.max_width // 2 * 2  # pairs
    m = asked.m or min(FIRST, most)
    at = drawn(problem, asked.seed, most)
    while True:
        drawn_problem, start = at(1.0 if asked.sigma is None else asked.sigma, m)
        net = fitted(drawn_problem, start, heard)
        heard(f"m = {m}: certifying", 0, 1)
        found = attempt(dataclasses.replace(drawn_problem, init=TRAINED), net, asked.keep, asked.theta)
        if found.proved:
            return found
        if 2 * m > most:
            raise _too_far(found, "a larger --m or --max-width, or another --sigma")
        m *= 2


def _given(problem: Problem, asked: Options, start: Params, heard) -> Attempt:
    """A trained network that somebody brought, certified there."""
    problem = dataclasses.replace(problem, init=TRAINED, m=start.m)
    _room_for(problem, start.m)
    heard(f"m = {start.m}: certifying", 0, 1)
    found = attempt(problem, start, asked.keep, asked.theta)
    if not found.proved:
        raise _too_far(found, "training further, or realise --train, which fits until nothing falls any more")
    return found


def _too_far(found: Attempt, attempt: str) -> BadInput:
    """Why a trained network was not certified."""
    size, λ = found.bounds["size"], found.bounds["lambda"]
    if not λ > 0:
        return BadInput(
            f"a network of m = {found.problem.m} with λ_min(H) not above 0", "inputs and neurons of full rank", attempt
        )
    wanted = f"‖e‖ of at most {found.largest:.3g}, at λ = {λ:.3g}"
    return BadInput(f"a network of m = {found.problem.m} with ‖e‖ = {size:.3g}", wanted, attempt)


def _proved(found: Attempt) -> dict[str, Any]:
    """What results.json says before the run."""
    margins = [{"what": what, "have": have, "need": need} for what, (have, need) in found.margins.items()]
    return {
        "complete": False, "proved": found.proved, "kind": found.kind, "sentence": found.sentence, "certificate": CERTIFICATE,
        "largest": found.largest, "distance": found.distance,
        "witness": found.witness and {"away": found.witness.away, "off": found.witness.off},
        "m": found.problem.m, "eta": found.eta, "radius": found.s, "keep": found.keep,
        "bounds": dict(found.bounds), "conclusions": dict(found.conclusions), "margins": margins, "observations": [],
        "followed": 0 if found.launch is None else found.launch.steps, "steps": None, "bracket": None,
    }  # fmt: skip


def configuration(problem: Problem, options: Options) -> dict[str, Any]:
    """What is asked of a problem of which only the arrays are known."""
    given = {"arrays": digest(problem), "network": problem.network.name, "init": problem.init}
    return given | dataclasses.asdict(options)
