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
# # Three kernels, one limit
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/three_kernels.ipynb)
#
# A network of m neurons has an empirical kernel H = J Jᵀ / s_m. It can be differentiated out of the network, or written down in closed form; with infinitely many neurons it becomes a third matrix, K. Do the three agree, and whom should one ask where they do not?

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
n = 6  # @param {type:"slider", min:2, max:16}
d_in = 4  # @param {type:"integer"}
d_out = 1  # @param {type:"integer"}
m = 512  # @param {type:"slider", min:16, max:4096, step:16}
sigma = 0.5  # @param {type:"number"}
network = "softmax"  # @param ["softmax", "exponential", "relu", "tanh", "gelu"]


def asked(**changed):
    sizes = {"n": n, "d_in": d_in, "d_out": d_out, "m": m, "sigma": sigma} | changed
    return nv.problem("sphere", network, **sizes)


problem = asked()
net = nv.draw(problem, jax.random.key(0))

# %% [markdown]
# ## Do the empirical routes agree?
# Four programs that share no formula: products over neurons, automatic differentiation, and two of
# [neural-tangents](https://github.com/google/neural-tangents), where it is installed.

# %%
H = nv.kernel(problem, net, route="closed-form")
for route in ("shared-products", "autodiff", "jacobian-contraction", "ntk-vector-products"):
    try:
        gap = abs(nv.kernel(problem, net, route=route) - H).max() / abs(H).max()
        print(f"{route:22} differs from the closed form by {gap:.1e} of the largest entry")
    except ImportError as absent:
        print(f"{route:22} {absent}")

# %% [markdown]
# Differences of about 10⁻¹⁶ are the last bit of a float (10⁻⁷ where numbers have 32 bits). So the formula is that of the
# network's gradient. It does not say that the network is near its limit.
#
# ## How near is the limit?

# %%
widths, seeds = [32, 128, 512, 2048], range(6)
K = nv.kernel(problem, route="infinite-width")
far = []
for width in widths:
    wide = asked(m=width)
    kernels = [nv.kernel(wide, nv.draw(wide, jax.random.key(seed))) for seed in seeds]
    far.append([float(np.linalg.norm(each - K) / np.linalg.norm(K)) for each in kernels])
middle = np.median(far, axis=1)
figure, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
axis.loglog(widths, far, "o", color="tab:blue", alpha=0.4)
axis.loglog(widths, middle, color="tab:blue", label="median of six draws")
axis.loglog(widths, middle[0] * (widths[0] / np.array(widths)) ** 0.5, "k--", label="m^(−1/2)")
axis.set(xlabel="neurons m", ylabel="‖H − K‖ / ‖K‖", title=f"{network}, σ = {sigma:g}")
axis.legend()
plt.show()

# %% [markdown]
# The distance falls like m^(−1/2), as a mean over neurons does. The law is that of the average draw: one draw may come
# nearer at fewer neurons.
#
# ## Which K? Quadrature that stops looking
# For tanh K has no closed form: its diagonal on unit inputs is the mean of sech⁴(σz) over a Gaussian z. For large σ that is a
# narrow peak, and the nodes of Gauss–Hermite quadrature step over it. neural-tangents' `ElementwiseNumerical` uses such nodes
# (25, if not asked for more). Here panels stand where the function changes. A third route, `scipy.integrate.quad`, judges.

# %%
import warnings

from scipy.integrate import quad

from ntkverify.networks.kernels.neural_tangents import library

spreads = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0]
one = (np.ones((1, 1)), np.ones((1, 1)))
errors = {"ntkverify": [], "Gauss–Hermite, 25 nodes": [], "Gauss–Hermite, 100 nodes": []}


def of_theirs(s, nodes):
    """E[φ'(u)²] as neural-tangents computes it."""
    stax = library().stax
    with warnings.catch_warnings(), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        warnings.simplefilter("ignore")
        layers = stax.Dense(1, W_std=s), stax.ElementwiseNumerical(jax.numpy.tanh, deg=nodes)
        return float(stax.serial(*layers)[2](one[0], None, "ntk")[0, 0]) / s**2


for s in spreads:
    truth = quad(lambda u, s=s: np.cosh(u) ** -4 * np.exp(-((u / s) ** 2) / 2) / s / np.sqrt(2 * np.pi), -20, 20)[0]
    found = {"ntkverify": float(nv.kernel(nv.problem(one, "tanh", sigma=s), route="infinite-width")[0, 0])}
    for nodes in (25, 100):
        z, weight = np.polynomial.hermite_e.hermegauss(nodes)
        found[f"Gauss–Hermite, {nodes} nodes"] = weight @ np.cosh(s * z) ** -4.0 / weight.sum()
    try:
        found["neural-tangents, as it comes"] = of_theirs(s, 25)
    except ImportError as absent:
        print(absent)
    for name, value in found.items():
        errors.setdefault(name, []).append(abs(value / truth - 1) + 1e-16)
figure, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
for name, values in errors.items():
    axis.loglog(spreads, values, "o--" if name.startswith("neural") else "o-", label=name)
axis.set(xlabel="σ", ylabel="relative error of K(x, x)", title="tanh, one input of length 1")
axis.legend()
plt.show()

# %% [markdown]
# At σ = 3, 25 nodes are wrong by 40 per cent, at σ = 30 by a factor of 14, and 100 nodes say almost 0; "raise the order until it settles"
# settles on nothing. This is no fault of neural-tangents' closed forms (ReLU, erf), and at σ ≤ 1 its numbers are good to three digits.
#
# ## Turn the knobs
# With `ipywidgets` there are sliders, without it a picture.


# %%
def look(m=m, sigma=sigma):
    problem = asked(m=m, sigma=sigma)
    H, K = nv.kernel(problem, nv.draw(problem, jax.random.key(0))), nv.kernel(problem, route="infinite-width")
    _, axes = plt.subplots(1, 3, figsize=(10, 3), constrained_layout=True)
    for axis, kernel, name in zip(axes, (H, K), (f"H, m = {m}", "K, m = ∞")):
        axis.imshow(kernel, cmap="PuOr_r", vmin=-abs(K).max(), vmax=abs(K).max())
        axis.set(title=name, xlabel="sample and output", ylabel="sample and output")
        axes[2].semilogy(np.linalg.eigvalsh(kernel), "o-", label=name)
    axes[2].set(xlabel="index", ylabel="eigenvalue")
    axes[2].legend()
    plt.show()


try:
    from ipywidgets import interact

    interact(look, m=(16, 2048, 16), sigma=(0.1, 3.0, 0.1))
except ImportError:
    look()

# %% [markdown]
# **Three things to try**
# 1. `sigma = 1`, then `2`: softmax weighs neurons by e^{⟨w,x⟩}, so few of many count. How many does it take until m^(−1/2) is seen?
# 2. `n = 16`, `d_in = 2` and `m = 16`: a coupled H has rank at most m·d_in/2; where that is below n·d_out its smallest eigenvalues are 0, and K's are not.
# 3. Another order in place of 100 nodes. Which one is enough at σ = 10, and how would one know without a second opinion?
