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
# # Watching the kernel drift
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/watching_the_kernel_drift.ipynb)
#
# A wide network's kernel is said to stand still while it trains. How still? The perturbation lemma is linear in the movement of the weights, which falls like 1/m; so it promises a drift of m⁻¹. What is seen?

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
import jax

jax.config.update("jax_enable_x64", jax.default_backend() != "tpu")

import matplotlib.pyplot as plt
import numpy as np

import ntkverify as nv

# A wrong value is answered by a sentence, and the cells below it wait.
get_ipython().set_custom_exc((nv.BadInput,), lambda shell, kind, error, *trace, **options: print(error))

# %%
n = 8  # @param {type:"slider", min:2, max:16}
d_in = 8  # @param {type:"integer"}
d_out = 1  # @param {type:"integer"}
m = 256  # @param {type:"slider", min:16, max:2048, step:16}
sigma = 0.5  # @param {type:"number"}
network = "softmax"  # @param ["softmax", "exponential", "tanh", "gelu", "relu", "relu-sum"]
seeds = 4


def trained(m, init, sigma=sigma):
    """A problem and a few networks, trained until a hundredth of the loss is left."""
    problem = nv.problem("sphere", network, n=n, d_in=d_in, d_out=d_out, m=m, sigma=sigma, init=init)
    nets = [nv.draw(problem, jax.random.key(seed)) for seed in range(seeds)]
    many = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *nets)
    return problem, nv.train(problem, many, target=0.01 * float((problem.y**2).sum()))


problem, run = trained(m, "coupled")
H = np.asarray(run.kernels(problem))  # networks × (start, 1/2, 1/10, 1/100 of the loss left) × nd × nd
print(run.sentence(0))

# %% [markdown]
# ## One network, from start to end

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3), constrained_layout=True)
for axis, kernel, name in zip(axes, (H[0, 0], H[0, -1] - H[0, 0]), ("H(0)", "H(end) − H(0)")):
    drawn = axis.imshow(kernel, cmap="PuOr_r", vmin=-abs(kernel).max(), vmax=abs(kernel).max())
    axis.set(title=name, xlabel="sample and output", ylabel="sample and output")
    figure.colorbar(drawn, ax=axis)
axes[2].semilogy(run.losses.T / run.losses[:, 0])
axes[2].set(xlabel="step", ylabel="loss / loss at the start", title=f"{seeds} networks, m = {m}")
plt.show()

# %% [markdown]
# The change has a scale of its own: read the bars at the side. The loss falls to a hundredth while the kernel hardly moves.
# That does not say that it stands still for longer training, or for harder labels.
#
# ## Against m, from two starts
# A *coupled* start draws each neuron twice, with opposite signs, so that the output is 0; an *independent* one does not.

# %%
widths = [64, 256, 1024]
drift, moved, runs = {}, {}, {}
for init in ("coupled", "independent"):
    for width in widths:
        of, found = trained(width, init)
        start, end = (np.asarray(found.kernels(of))[:, level] for level in (0, -1))
        change = np.linalg.norm(end - start, axis=(1, 2)) / np.linalg.norm(start, axis=(1, 2))
        drift.setdefault(init, []).append(np.median(change))
        moved.setdefault(init, []).append(np.median(np.nanmax(found.movement, axis=1)))
        runs.setdefault(init, []).append(found)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), constrained_layout=True)
for axis, values, label in zip(axes, (drift, moved), ("‖H(end) − H(0)‖ / ‖H(0)‖", "largest movement of a neuron")):
    for init, each in values.items():
        slope = np.polyfit(np.log(widths), np.log(each), 1)[0]
        axis.loglog(widths, each, "o-", label=f"{init}: m^{slope:.2f}")
    axis.set(xlabel="neurons m", ylabel=label)
    axis.legend()
plt.show()

# %% [markdown]
# From a coupled start the drift of a smooth network falls like m⁻², a whole power faster than the lemma promises. The lemma is
# an upper bound, so this does not contradict it. Tanh and the plain exponential do the same: it is not softmax's normalisation.
#
# ## Why m⁻²
# The neurons of a pair share w and have opposite signs, so training pushes them apart: w ± δ. What is linear in δ cancels in
# their sum, and H moves by δ² only. Is that what the weights do? The part of the movement that a pair has in common should be
# smaller than δ by another power of m.

# %%
apart, common = [], []
for found in runs["coupled"]:
    step = np.asarray(found.last.W - found.start.W)
    first, second = step[..., 0::2], step[..., 1::2]
    apart.append(np.sqrt(np.mean((first - second) ** 2)) / 2)
    common.append(np.sqrt(np.mean((first + second) ** 2)) / 2)
figure, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
for name, values in (("apart, δ", apart), ("in common", common)):
    slope = np.polyfit(np.log(widths), np.log(values), 1)[0]
    axis.loglog(widths, values, "o-", label=f"{name}: m^{slope:.2f}")
axis.set(xlabel="neurons m", ylabel="movement of a pair, root mean square")
axis.legend()
plt.show()

# %% [markdown]
# ## With intervals
# `nv.study` trains the same networks over a grid and fits exponents with 95% intervals. Three widths and three seeds are few,
# so the intervals are wide; `ntkverify study drift --preset paper` has nine and ten.

# %%
import tempfile

grid = {
    "network": network,
    "init": "coupled",
    "m": widths,
    "n": n,
    "d_in": d_in,
    "d_out": d_out,
    "sigma": sigma,
    "seeds": 3,
}
found = nv.study("drift", tempfile.mkdtemp(), **grid)
print(found["answer"])

# %% [markdown]
# ## Turn the knobs
# With `ipywidgets` there are sliders, without it a picture.


# %%
def look(m=m, sigma=sigma):
    problem, run = trained(m, "coupled", sigma)
    kernels = np.asarray(run.kernels(problem))[0, [0, -1]]
    _, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
    before, after = np.linalg.eigvalsh(kernels)
    axis.semilogy(before, "o-", label="at the start")
    axis.semilogy(abs(after - before), "s--", label="by how much training changes it")
    axis.set(xlabel="index", ylabel="eigenvalue of H", title=f"m = {m}, σ = {sigma:g}")
    axis.legend()
    plt.show()


try:
    from ipywidgets import interact

    interact(look, m=(16, 1024, 16), sigma=(0.1, 2.0, 0.1))
except ImportError:
    look()

# %% [markdown]
# **Three things to try**
# 1. `relu`, then `relu-sum`: a kink has no Taylor series, so coupling gains no power of m.
# 2. `exponential` and `tanh`: the exponent stays where it was, with nothing normalised.
# 3. `sigma = 2`: how wide must the network be before the power law is seen?
