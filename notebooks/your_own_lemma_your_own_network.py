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
# # Your own lemma, your own network
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/your_own_lemma_your_own_network.ipynb)
#
# The program knows neither your network nor your lemma. Can it check them? A network is two functions; a lemma is a docstring and two formulas. Here are three tanh layers with biases and a bound on their output, then an attention head.
#
# Executing such files is executing their code: run only files that you trust.

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

jax.config.update("jax_enable_x64", jax.default_backend() != "tpu")

import matplotlib.pyplot as plt
import numpy as np

import ntkverify as nv

# A wrong value is answered by a sentence, and the cells below it wait.
get_ipython().set_custom_exc((nv.BadInput,), lambda shell, kind, error, *trace, **options: print(error))

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A network

# %%
net = folder / "net.py"
_ = net.write_text('''"""Three layers of tanh, with biases"""

import jax
import jax.numpy as jnp


def initialise(key, width, d_in, d_out):
    sizes = (d_in, width, width, d_out)
    keys = jax.random.split(key, 6)
    return [
        {"W": jax.random.normal(keys[k], sizes[k : k + 2]), "b": jax.random.normal(keys[3 + k], (sizes[k + 1],))}
        for k in range(3)
    ]


def apply(parameters, X):
    *hidden, last = parameters
    h = X * jnp.sqrt(X.shape[-1])
    for layer in hidden:
        h = jnp.tanh(h @ layer["W"] / jnp.sqrt(h.shape[-1]) + layer["b"])
    return h @ last["W"] / jnp.sqrt(h.shape[-1]) + last["b"]
''')

# %%
n = 4  # @param {type:"slider", min:2, max:12}
d_in = 4  # @param {type:"integer"}
m = 16  # @param {type:"slider", min:4, max:64, step:4}
sigma = 1.0  # @param {type:"number"}
sizes = {"n": n, "d_in": d_in, "d_out": 2}
mine = nv.network(net)
problem = nv.problem("sphere", mine, m=m, init="independent", **sizes)
H = nv.kernel(problem, nv.draw(problem, jax.random.key(0)))
print(f"{mine.name}: {problem.p} numbers to train, a kernel of {H.shape[0]} × {H.shape[1]}")

# %% [markdown]
# The fields m and n are the network's; σ is for the attention head below, because a network of yours draws its weights as it says.
#
# ## A lemma about it
# |tanh| < 1, so an output is at most ‖V‖ + ‖b‖, whatever the first layers do. Beside it a claim of the catalogue that speaks of
# any network: the kernel is positive semidefinite.

# %%
lemma = folder / "lemma.py"
_ = lemma.write_text(r'''"""Three tanh layers give no more than the last one

Source: these notes
Networks: any
Setting: $F(x) = V^\top h/\sqrt m + b$ with $h \in [-1,1]^m$; the start is independent.
Measured: Both sides for every input, at every drawn point of the ball.
Refuted by: One input whose output is longer.

[derived]
Direction: upper
Statement: $$ \|F(x_i)\| \le \|V\|_F + \|b\| \quad\text{for every } i $$
Proof: $\|h\| \le \sqrt m$, and a matrix stretches by at most its Frobenius norm.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, outputs, parameters, scaled


def lhs(problem, point, c):
    return jnp.sqrt(jnp.sum(outputs(problem, point.moved) ** 2, axis=1))


def rhs(problem, point, c):
    last = parameters(problem.network, point.moved)[-1]
    size = jnp.sqrt(jnp.sum(last["W"] ** 2)) + jnp.sqrt(jnp.sum(last["b"] ** 2))
    return size * jnp.ones(problem.n, problem.X.dtype)


derived = Form(lhs, rhs).with_twins(scaled("a hundredth of it", rhs=0.01))
''')


def verified(claim, **settings):
    """Check a claim on 40 draws, and say what was found."""
    rows = nv.verify(claim, seeds=40, dtype=nv.dtype(), **settings).claims
    for row in rows:
        print(f"{row['id']} {row['form']}: {row['verdict']}. {row['sentence']}")


verified([lemma, "positive-semidefinite"], network=net, data="sphere", init="independent", m=m, **sizes)

# %% [markdown]
# How loose is it? The network's own two functions, drawn at several widths:

# %%
import runpy

own, widths, room = runpy.run_path(str(net)), (4, 16, 64, 256), []
for width in widths:
    drawn = [own["initialise"](jax.random.key(seed), width, d_in, 2) for seed in range(10)]
    outputs = [np.linalg.norm(own["apply"](each, problem.X), axis=1).max() for each in drawn]
    bounds = [np.linalg.norm(each[-1]["W"]) + np.linalg.norm(each[-1]["b"]) for each in drawn]
    room.append(np.log10(np.divide(bounds, outputs)))
figure, axis = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
axis.semilogx(widths, room, "o", color="tab:blue", alpha=0.4)
axis.semilogx(widths, np.min(room, axis=1), color="tab:blue", label="least room of ten draws")
axis.axhline(0, color="k", lw=1)
axis.set(xlabel="width m", ylabel="log₁₀ (bound / largest output)")
axis.legend()
plt.show()

# %% [markdown]
# It holds: above 0 there is room. More room at larger widths says how loose the bound is: ‖V‖ grows like √m, the output does not.
# It does not say that the lemma is proved; the line under `Proof` is yours. One point can be decided with every rounding enclosed:

# %%
small = nv.problem("sphere", mine, m=4, n=2, d_in=d_in, d_out=2, init="independent")
for row in nv.certify(lemma, small)["claims"]:
    print(f"{row['form']}: {row['verdict']}. {row['sentence']}")

# %% [markdown]
# ## Attention
# Heads of attention are in the catalogue: `network="attention"`, with sequences of tokens as inputs. What is claimed of neurons as functions is checked on them too.

# %%
shape = {"data": "tokens", "network": "attention", "n": 4, "d_out": 2, "m": m, "sigma": sigma}
verified(["zero-output", "gradient-formula"], **shape)

# %% [markdown]
# **Three things to try**
# 1. A false lemma: leave out ‖b‖ in `rhs`. Is it refuted, and at which widths?
# 2. `jnp.sin` in place of `jnp.tanh`: does the proof still stand? Does the verdict?
# 3. `ntkverify new network block.py --like transformer` writes a block of your own; check `positive-semidefinite` on it with `data="tokens"`.
