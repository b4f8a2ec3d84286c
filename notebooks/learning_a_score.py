# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
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
# # Learning a score
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/learning_a_score.ipynb)
#
# A diffusion model turns noise into data by following a *score*, ∇log p_t. Here a two-layer network learns one whose truth is known, so that each part of its error can be measured, and samples stand beside those of the exact score.

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

jax.config.update("jax_enable_x64", True)

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import ntkverify as nv

# A wrong value is answered by a sentence, and the cells below it wait.
get_ipython().set_custom_exc((nv.BadInput,), lambda shell, kind, error, *trace, **options: print(error))

# %% [markdown]
# ## Does a small network learn it?
# The network sees X_t and t, and is taught to say X_0: `n` noisy pairs, `m` neurons, gradient descent until pairs that were held out say stop. What it says then is a score, by Tweedie's formula.

# %%
data = "moons"  # @param ["moons", "mixture", "gaussian", "swissroll"]
network = "relu"  # @param ["softmax", "relu", "exponential", "tanh"]
n = 768  # @param {type:"slider", min:32, max:1024, step:32}
m = 512  # @param {type:"slider", min:32, max:1024, step:32}

learned = nv.learn_score(data, network, n=n, m=m, steps=1024)
learned.plot()

# %% [markdown]
# **What it means.** The exact score's samples show what the walk itself can do. What the learned score adds is its error: where the data lie is found, their fine shape is blurred.
#
# **What it does not.** The truth here is 200 points; nothing is said of large models, or of pictures.

# %% [markdown]
# ## Where does the error come from?
# From the network to the truth in five steps; each difference is one part.

# %%
parts = ["coupling", "label mismatch", "early stopping", "approximation", "clipping"]
named = [*parts, "bias", "total"]
figure, axes = plt.subplots(figsize=(7, 2.6), constrained_layout=True)
axes.barh(named, [learned.error[name] for name in named], color=["#0072B2"] * len(parts) + ["#009E73", "#222222"])
axes.invert_yaxis()
axes.set(xscale="log", xlabel="mean squared difference, in units of ‖X_0‖²", xlim=(1e-8, None))
print(learned.sentence)

# %% [markdown]
# **What it means.** *Coupling* is what the network is apart from its kernel; with `network = "softmax"` it falls by orders of magnitude. *Label mismatch* is what noise in the labels costs. *Early stopping* and *approximation* mostly cancel, because the limit of training swings between its points; *bias* is the two together.
#
# **What it does not.** The parts do not add up to the total alone: cross terms do the rest (`learned.error["cross"]`). One draw is no interval; `ntkverify study diffusion` has those.

# %% [markdown]
# ## When should training stop?

# %%
figure, axes = plt.subplots(figsize=(7, 3), constrained_layout=True)
for name, style in (("total", "-"), ("label mismatch", "--"), ("bias", ":")):
    axes.loglog(learned.times, learned.curves[name], style, color="#222222", label=name)
axes.axvline(learned.stop, color="#D55E00", label="held-out stop")
axes.set(xlabel="steps", ylabel="mean squared difference")
axes.legend()
plt.show()

# %% [markdown]
# **What it means.** Bias falls with training, label mismatch rises, and the total is least in between. Held-out pairs know nothing of the truth; what their stop costs is the total there, against its least.
#
# **What it does not.** That many steps are bad as such: with labels that have no noise the error does not rise.

# %% [markdown]
# ## At which times is the score wrong?
# A learned score is a function: `learned(x, t)`, with the exact one beside it.

# %%
times = np.geomspace(0.05, 4, 12)
x = learned.exact.sample(400, jax.random.key(0), steps=50)
wrong = []
for place, t in enumerate(times):
    Z = jax.random.normal(jax.random.key(place), x.shape)
    x_t = np.exp(-t / 2) * x + np.sqrt(-np.expm1(-t)) * Z
    exact = learned.exact(x_t, t)
    wrong.append(float(((learned(x_t, t) - exact) ** 2).sum() / (exact**2).sum()))
figure, axes = plt.subplots(figsize=(7, 2.6), constrained_layout=True)
axes.loglog(times, wrong, "o-")
axes.set(xlabel="diffusion time t", ylabel="‖s − s*‖² / ‖s*‖²")
plt.show()

# %% [markdown]
# **What it means.** At large t, where p_t is nearly Gaussian, the score is easy. At small t it holds the fine shape of the data, and there the network errs most: hence the blur above.
#
# **What it does not.** How far that takes samples away from the data: the study measures it, as a distance beyond that of the exact score's samples.

# %% [markdown]
# ## And for samples of your own?
# Any (N, d) array will do. The truth is unknown, so only what needs none is told.

# %%
angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
ring = 10 + 3 * np.column_stack([np.cos(angle), np.sin(angle)])
mine = nv.learn_score(ring, network, n=n, m=m, steps=1024)
path = tempfile.mkdtemp() + "/mine.npz"
mine.save(path)
again = nv.load_score(path)
key = jax.random.key(0)
assert np.array_equal(mine.sample(5, key), again.sample(5, key))
print(again.sentence)
again.plot()

# %% [markdown]
# **What it means.** The file holds the network, not the rows (at most 200 of those held out, for this picture), and gives the same samples for the same key.
#
# **What it does not.** Whether your samples are enough: learn from half of them, and compare `mine.error["held out"]`.
#
# **Three things to try**
# 1. `network = "softmax"`, and look at *coupling*: the network is its kernel to many digits, and no better for it.
# 2. `n = 128` in place of 768: which parts of the error grow, and which do not?
# 3. `nv.learn_score("digits", "relu", n=256, steps=512).plot()`: handwritten digits from noise, in six principal components.
