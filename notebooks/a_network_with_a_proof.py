# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A network with a proof
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/a_network_with_a_proof.ipynb)
#
# Training stops at an error of 10⁻⁶ or so. Would it ever reach zero, and how far away is a network that fits the data exactly? A certificate answers both, for exactly these floats, and another program checks it. What if somebody changes it?

# %%
# Setup. In Colab: install beside Colab's own JAX and numpy, which a constraint keeps as they are (JAX 0.7 is enough).
import sys

if "google.colab" in sys.modules:
    import subprocess
    from importlib.metadata import version

    with open("keep.txt", "w") as file:
        file.writelines(f"{name}=={version(name)}\n" for name in ("jax", "jaxlib", "numpy"))
    source = "ntkverify @ git+https://github.com/ntkverify/ntkverify"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-c", "keep.txt", source], check=True)

# %%
import tempfile
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib.pyplot as plt
import numpy as np

import ntkverify as nv
from ntkverify.cli import main as cli

# A wrong value is answered by a sentence, and the cells below it wait.
get_ipython().set_custom_exc((nv.BadInput,), lambda shell, kind, error, *trace, **options: print(error))

folder = Path(tempfile.mkdtemp())

# %%
n = 12  # @param {type:"slider", min:4, max:64, step:4}
d_out = 2  # @param {type:"integer"}
m = 256  # @param {type:"slider", min:64, max:4096, step:64}
sigma = 2.0  # @param {type:"number"}
network = "tanh"  # @param ["tanh", "sigmoid", "gelu", "swish"]
problem = nv.problem("digits", network, n=n, d_out=d_out, m=m, sigma=sigma)
start = nv.draw(problem, jax.random.key(0))

# %% [markdown]
# ## When is training good enough for a proof?
# Gradient descent is stopped at smaller and smaller errors. At each stop the floats are asked whether gradient descent would
# go on to *exactly* zero loss from there: three inequalities about their kernel, curvature and error, every rounding enclosed.

# %%
stops, bounds = [], []
for target in (1e-2, 1e-5, 1e-10):
    run = nv.train(problem, start, target=target, budget=60000)
    made = nv.certify_convergence(problem, run.last, folder / f"{target:g}")
    stops.append((float(run.losses[0, run.steps[0]]) ** 0.5, np.asarray(run.last.W[0])))
    bounds.append(made.results["distance"])
    print(f"after {run.steps[0]} steps: {made.results['sentence']}\n")

# %% [markdown]
# ## How far is a network that fits the data exactly?
# The certificate bounds the distance over all neurons together. What was seen is the distance from each stop to the last one.

# %%
error = [each for each, _ in stops]
seen = [np.linalg.norm(W - stops[-1][1]) for _, W in stops[:-1]]
figure, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
axis.loglog(error, bounds, "o-", label="proved: at most this far")
axis.loglog(error[:-1], seen, "s--", label="seen: from here to the last stop")
axis.axvline(made.results["largest"], color="k", ls=":", label="‖e‖ beyond which nothing is proved")
axis.set(xlabel="error ‖e‖ when training stopped", ylabel="distance in weights")
axis.legend()
plt.show()

# %% [markdown]
# The proof speaks of gradient descent in exact arithmetic from these floats. It does not say how the weights were found, nor
# anything of gradient descent from random weights, nor of digits that were not in the data.
#
# ## Another program checks it
# `check` shares no arithmetic with what made the certificate: it computes every bound again from the floats in the file.

# %%
path = folder / "1e-10" / "certificate.json"
_ = cli.main(["check", str(path)])

# %% [markdown]
# ## And if somebody changes it?
# First an edit by hand. Then a forger who mends the digest too, and claims a kernel ten times as well conditioned.

# %%
import json
import shutil

from ntkverify.checking.certificate_file import digest

forged = folder / "forged"
shutil.copytree(path.parent, forged)
content = json.loads(path.read_text())
content["bounds"]["lambda"] *= 10
(forged / path.name).write_text(json.dumps(content))
print("exit code", cli.main(["check", str(forged / path.name)]), "\n")
content["digest"] = digest(content)
(forged / path.name).write_text(json.dumps(content))
print("exit code", cli.main(["check", str(forged / path.name)]))

# %% [markdown]
# The first is refused by its digest, the second by the mathematics: no eigenvalue of this kernel is that large. Digests tell edits
# and damage; what makes a certificate true is that its inequalities hold.
#
# **Three things to try**
# 1. A first stop at `1`: the error is too large, and the answer says which one would do.
# 2. `m = 1024`: how much farther from the solution may one be?
# 3. `nv.realise(problem, train=True)` trains by itself, and `nv.realise(nv.problem("orthonormal"))` needs no training at all: a certificate at W(0).
