"""What `test_devices.py` runs in processes of their own: one device or many compute the same numbers, written to a file."""

import sys

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

import ntkverify as nv  # noqa: E402
from ntkverify import catalogue  # noqa: E402
from ntkverify.ground.devices import whole  # noqa: E402
from ntkverify.ground.programs import keep_programs  # noqa: E402
from ntkverify.judging.draws import chunks  # noqa: E402
from ntkverify.judging.evidence import examine, joined  # noqa: E402
from ntkverify.networks.nouns import Params  # noqa: E402
from ntkverify.networks.step_sizes import ordinary_steps  # noqa: E402
from ntkverify.networks.training import LEVELS, train  # noqa: E402

SMALL = {"data": "sphere", "n": 4, "d_in": 5, "d_out": 3}


def trained(network: str, m: int, count: int, **how) -> dict:
    question = nv.problem(**SMALL, network=network, m=m)
    nets = jax.vmap(lambda key: nv.draw(question, key))(jax.random.split(jax.random.key(0), count))
    eta = ordinary_steps(question, nets)
    run = train(question, nets, eta, target=1e-3, budget=300, levels=LEVELS, movement=True, **how)
    found = {"eta": eta, "loss": run.losses, "moved": run.movement, "W": run.last.W, "H": run.kernels(question)}
    return {f"{network} {m} {count} {how} {name}": whole(value) for name, value in found.items()}


def judged(names: tuple[str, ...], draws: int) -> dict:
    question, found = nv.problem(**SMALL, m=32), {}
    for forms in map(catalogue.claims, names):
        parts = [
            examine(tuple(forms), question, points, count)
            for count, points in chunks(question, draws, 0, forms[0].where)
        ]
        for form, *own in zip(forms, *parts, strict=True):
            found |= {f"{form.id} {name}": getattr(joined(own), name) for name in ("outcome", "small", "large")}
    return found


def main(path: str) -> None:
    keep_programs()
    question = nv.problem(**SMALL, m=2048)
    net = nv.draw(question, jax.random.key(1))
    found = {"W": whole(net.W)}
    for route in ("shared-products", "closed-form"):
        found[f"H {route}"] = whole(nv.kernel(question, net, route=route))
    found["slope"] = whole(jax.grad(lambda W: nv.kernel(question, Params(W, net.a))[0].sum())(net.W))
    nv.devices(1)  # arrays of many devices are put where the work is
    found["H on one"] = whole(nv.kernel(question, net))
    found["trained on one"] = nv.train(question, net, budget=20).losses
    nv.devices()
    odd = nv.problem(**SMALL, m=2051, init="independent")  # no multiple of the devices: padded
    found["H odd"] = whole(nv.kernel(odd, nv.draw(odd, jax.random.key(2))))
    found |= trained("tanh", 16, 10) | trained("softmax", 16, 10, together=True) | trained("softmax", 2050, 2)
    found |= trained("relu", 2048, 1)
    found |= judged(("output-bound", "contraction"), 25)
    np.savez(path, devices=nv.devices(), **found)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
