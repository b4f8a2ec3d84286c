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
# # Verify in five minutes
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/verify_in_five_minutes.ipynb)
#
# [arXiv:2405.03251](https://arxiv.org/abs/2405.03251) says that softmax networks train about as well as ReLU ones, because
# normalisation keeps the Neural Tangent Kernel (NTK) stable. Here its lemmas meet real draws of a network.

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

# %% [markdown]
# ## A problem and a network

# %%
n = 12  # @param {type:"slider", min:2, max:32}
d_in = 64  # @param {type:"integer"}
m = 512  # @param {type:"slider", min:32, max:4096, step:32}
sigma = 0.5  # @param {type:"number"}

problem = nv.problem("digits" if d_in == 64 else "sphere", "softmax", n=n, d_in=d_in, m=m, sigma=sigma)
net = nv.draw(problem, jax.random.key(0))
H = nv.kernel(problem, net)
K = nv.kernel(problem, route="infinite-width")
print(f"H is {H.shape[0]} × {H.shape[1]}; max|H − K| / max|K| = {abs(H - K).max() / abs(K).max():.2f}")

# %% [markdown]
# The kernel of this draw, its infinite-width limit, and their eigenvalues. The smallest one is the λ of the paper.

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3), constrained_layout=True)
top = float(abs(K).max())
for axis, kernel, title in zip(axes, (H, K), (f"H, m = {m}", "K ⊗ I, m = ∞")):
    axis.imshow(kernel, cmap="PuOr_r", vmin=-top, vmax=top)
    axis.set(title=title, xlabel="sample and output", ylabel="sample and output")
axes[2].semilogy(np.linalg.eigvalsh(H), label="H")
axes[2].semilogy(np.linalg.eigvalsh(K), "--", label="K ⊗ I")
axes[2].set(xlabel="index", ylabel="eigenvalue")
axes[2].legend()
plt.show()

# %% [markdown]
# ## Do the lemmas hold?
# Each claim is checked on draws of the network, at random and adversarial points of a ball of radius R around it.
# Nobody chose a tolerance: every comparison carries a computed rounding bound.

# %%
radius = 0.01  # @param {type:"number"}
claims = ["projection-perturbation", "gradient-bound", "kernel-perturbation", "convex-region"]
rows = nv.verify(
    claims, data="digits" if d_in == 64 else "sphere", n=n, d_in=d_in, m=m, sigma=sigma, radius=radius, dtype=nv.dtype()
)
for row in rows.claims:
    worst = row["log10_ratio"]["worst"]
    room = "" if worst is None else f"{-worst:.1f} orders of magnitude of room"
    print(f"{row['id']:24} {row['form']:14} {row['verdict']:10} {room}")

# %% [markdown]
# The reconstructed bounds hold because they are loose: their e^{10B} costs tens of orders of magnitude. The derived ones say
# nearly what is seen. The full report, with statements, proofs and figures:

# %%
from pathlib import Path

from ntkverify.report.page import draw_report

folder = Path("five-minutes")
folder.mkdir(exist_ok=True)
rows.save(folder)
print(draw_report(folder))

# %% [markdown]
# *Holds* speaks of these draws; it proves nothing of the others. All claims on your own data: `ntkverify verify --data mine.npz`;
# each statement in full: `ntkverify show CLAIM`.
#
# **Three things to try**
# 1. `sigma = 2`: the exponents grow. Which bounds lose how much room?
# 2. `radius = 0.5`: is the kernel still near where it was, and does a claim become vacuous?
# 3. `m = 32`: H is far from K ⊗ I. Do the lemmas need the limit?
