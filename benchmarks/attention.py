"""How many attention heads are certified, and how many it takes: sequences of tokens, two outputs.

    uv run python benchmarks/attention.py > docs/results/attention.md

Certified: the smallest number of heads for which `ntkverify realise` proves that gradient descent converges, at W(0) and after
some thousand steps at most with every rounding enclosed.  Trained: the smallest even number, by doubling and bisection, at which
every one of SEEDS coupled draws falls to 1% of ‖Y‖² within BUDGET steps at η = 1/(m λ_max(H(0))).  About ten minutes on two
cores.
"""

import sys
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import ntkverify as nv
from ntkverify.checking.checker import check
from ntkverify.convergence.certificate import certificate
from ntkverify.convergence.realise import LARGE_SIGMAS, SIGMAS
from ntkverify.convergence.smallest_width import smallest_certified
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.networks.network import initialise
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import train

DATA = (("tokens", "attention", 1024), ("tokens", "patches", 1024), ("digits-rows", "attention", 4096))
"""Data, network, and within how many steps later starts are tried."""
N, D_OUT, WIDEST, SEEDS, BUDGET = 8, 2, 65536, 4, 20_000


def converges(data: str, network: str, m: int, sigma: float) -> bool:
    """Whether every draw is trained to 1%."""
    problem = nv.problem(data, network, m=m, n=N, d_out=D_OUT, sigma=sigma)
    start = jax.vmap(lambda key: initialise(problem, key))(jax.random.split(jax.random.key(0), SEEDS))
    eta = ordinary_steps(problem, start)
    run = train(problem, start, eta, target=0.01 * float(jnp.sum(problem.y**2)), budget=BUDGET)
    return set(run.outcome) == {"converged"}


def trained(data: str, network: str, sigma: float) -> int:
    """The smallest even width that converges."""
    low, high = 0, 2
    while not converges(data, network, high, sigma):
        low, high = high, 2 * high
    while high - low > max(2, high // 8):
        middle = (low + high) // 4 * 2
        low, high = (low, middle) if converges(data, network, middle, sigma) else (middle, high)
    return high


def main() -> None:
    set_up_jax("float64")
    print("# Attention heads, certified and trained\n\n`uv run python benchmarks/attention.py`\n")
    print(f"n = {N} sequences, d_out = {D_OUT}, coupled; widths up to {WIDEST}, later starts within {DATA[0][2]} steps, digits' within {DATA[-1][2]}; trained: {SEEDS} draws to 1% within {BUDGET:,} steps, at σ = 1.\n")  # fmt: skip
    print("| data | network | λ(K) | certified at W(0) | σ | certified later | σ, steps | trained | checker, s |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    with Progress() as heard:
        for data, network, follows in DATA:
            problem = nv.problem(data, network, m=WIDEST, n=N, d_out=D_OUT)
            smallest = float(np.linalg.eigvalsh(nv.kernel(problem, route="infinite-width"))[0])
            first = smallest_certified(problem, 0, WIDEST, SIGMAS + LARGE_SIGMAS, heard=heard)
            later = smallest_certified(problem, 0, WIDEST, SIGMAS + LARGE_SIGMAS, follow=follows, heard=heard)
            spent = [checked(each) for each in (first, later) if each.proved]
            widths = [
                (str(each.problem.m), f"{float(each.problem.sigma):g}") if each.proved else (f"> {WIDEST}", "")
                for each in (first, later)
            ]
            steps = "" if later.launch is None else f", {later.launch.steps}"
            cells = [
                data, network, f"{smallest:.2g}", *widths[0],
                widths[1][0], widths[1][1] + steps,
                trained(data, network, 1.0), ", ".join(spent) or "nothing to check",
            ]  # fmt: skip
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def checked(found) -> str:
    """The seconds in which the checker accepts the certificate; an error where it does not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        certificate(found, {}).save(path)
        begin = time.perf_counter()
        answer = check(path)
        if not answer.accepted:
            raise SystemExit(f"the checker rejects a certificate: {answer.sentence}")
        return f"{time.perf_counter() - begin:.0f}"


if __name__ == "__main__":
    sys.exit(main())
