"""Certify a network on digits with its values, slopes and their bounds computed on the device that JAX finds, and bring the
certificate back.

    uv run python benchmarks/certify_on_device.py FOLDER [N]

N images (256), ten outputs, a tanh network trained by Gauss–Newton.  Prints the device, the seconds and what is proved, and checks the
certificate on the CPU by code of its own.  FOLDER then has certificate.json and certificate.bin.  Float64 on the device is IEEE
arithmetic, its products of matrices sums of products in some order; nothing else is taken for granted of it (docs/trust.md).
"""

import dataclasses
import sys
import time
from pathlib import Path

import jax

import ntkverify as nv
from ntkverify.checking.checker import check
from ntkverify.convergence.certificate import attempt, certificate
from ntkverify.convergence.gauss_newton import fitted
from ntkverify.networks.nouns import TRAINED


def main(folder: Path, n: int = 256) -> None:
    jax.config.update("jax_enable_x64", True)
    device = jax.devices()[0]
    problem = nv.problem("digits", "tanh", n=n, d_out=10, m=max(1024, 64 * n), sigma=3.0)
    began = time.perf_counter()
    net = fitted(problem, nv.draw(problem, jax.random.key(0)), lambda what, done, total: print(what, flush=True))
    found = attempt(dataclasses.replace(problem, init=TRAINED), net)
    folder.mkdir(parents=True, exist_ok=True)
    certificate(found, {"device": device.device_kind}).save(folder / "certificate.json")
    certified = time.perf_counter()
    checked = check(folder / "certificate.json")
    print(f"device: {device.platform} {device.device_kind}, jax {jax.__version__}")
    print(f"n = {n}: {found.sentence}")
    print(
        f"certified in {certified - began:.0f} s, checked in {time.perf_counter() - certified:.0f} s: {'accepted' if checked.accepted else 'REJECTED'}. {checked.sentence}"
    )
    if not checked.accepted:
        raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
