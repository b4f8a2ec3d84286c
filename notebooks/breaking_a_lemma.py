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
# # Breaking a lemma
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/breaking_a_lemma.ipynb)
#
# A slip is easily made: here tanh R stands in place of 2 tanh(R/2). By how much is the lemma false at worst, is the break real and no rounding, and which constant would have been right?
#
# Executing a lemma's file is executing its code: run only files that you trust.

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
# ## The lemma
# A docstring that states it, two formulas, and a twin that must be refuted.

# %%
TEXT = r'''"""Softmax weights move by at most tanh R

Source: a slip
Networks: softmax
Setting: Softmax network, every neuron moves by at most $R$, inputs of length at most 1.
Measured: Both sides at every drawn point of the ball.
Refuted by: One point at which the weights move further.

[derived]
Direction: upper
Statement: $$ \max_i \|\widetilde S_i - S_i\|_1 \le \tanh R $$
Proof: It takes two equal halves, moved apart, for the worst case.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, distance, scaled, softmax


def lhs(problem, point, c):
    return jnp.max(jnp.sum(jnp.abs(softmax(problem, point.moved) - softmax(problem, point.base)), axis=1))


def rhs(problem, point, c):
    return jnp.tanh(distance(point))


derived = Form(lhs, rhs).with_twins(scaled("half of it", rhs=0.5))
'''
false, true = folder / "slip.py", folder / "mended.py"
_ = false.write_text(TEXT)
_ = true.write_text(
    TEXT.replace("jnp.tanh(distance(point))", "2 * jnp.tanh(distance(point) / 2)").replace(r"\tanh R", r"2\tanh(R/2)")
)

# %%
n = 3  # @param {type:"slider", min:1, max:8}
d_in = 4  # @param {type:"integer"}
m = 16  # @param {type:"slider", min:4, max:128, step:4}
sigma = 1.0  # @param {type:"number"}
radius = 1.0  # @param {type:"number"}
budget = 0.5  # @param {type:"number"}
sizes = {"n": n, "d_in": d_in, "d_out": 1, "m": m, "sigma": sigma}
rows = nv.verify(false, data="sphere", **sizes, radius=radius, seeds=40, dtype=nv.dtype())
for row in rows.claims:
    print(f"{row['verdict']}: {row['sentence']}")

# %% [markdown]
# Draws are enough to say that it is false, at this width and radius: some exceed the bound. How far it fails they do not say, because they were
# not looking; and with smaller R or more neurons they may all agree with it.
#
# ## The search
# Free are the weights, their movement within R, the inputs and the signs. A ratio above 1 is a break.

# %%
radii = np.array([0.25, 0.75, 1.5]) * radius
seen = {}
for name, file in (("tanh R", false), ("2 tanh(R/2)", true)):
    for R in radii:
        worst = nv.falsify(file, nv.problem("sphere", "softmax", **sizes, radius=float(R)), budget=budget)
        seen.setdefault(f"{name}, drawn", []).append(worst.drawn)
        seen.setdefault(f"{name}, searched", []).append(worst.ratio)
figure, axis = plt.subplots(figsize=(6.5, 4), constrained_layout=True)
for name, values in seen.items():
    axis.plot(
        radii, values, "o:" if "drawn" in name else "o-", color="tab:red" if name[0] == "t" else "tab:blue", label=name
    )
axis.axhline(1, color="k", lw=1)
axis.plot(radii, 2 * np.tanh(radii / 2) / np.tanh(radii), "k--", label="2 tanh(R/2) / tanh R")
axis.set(xlabel="radius R", ylabel="left side / right side")
axis.legend()
plt.show()

# %% [markdown]
# The slip is broken, by more for larger R, and the search comes up to the dashed line: there is the truth. The mended lemma touches 1 and never
# passes it. A search is a bound from below: that it finds nothing proves nothing.
#
# ## Is the break real?
# `falsify` keeps its worst point in a file, `check` judges the point again with every rounding enclosed, in 50 digits. Exit code 1: refuted.
# `factor` is the smallest constant before the right side that the search leaves standing.

# %%
from ntkverify.cli import main as cli

asked = [f"--{name.replace('_', '-')}={value}" for name, value in sizes.items()]
cli.main(
    [
        "falsify",
        str(false),
        *asked,
        "--data=sphere",
        f"--radius={radius}",
        f"--budget={budget}",
        "--out",
        str(folder / "found"),
    ]
)
for point in sorted((folder / "found").glob("*.npz")):
    print("exit code", cli.main(["check", str(point)]))

# %% [markdown]
# *Refuted* speaks of exactly these floats, and one point is enough. The factor is no theorem: it is where the search stopped, at this R.
#
# **Three things to try**
# 1. `radius = 0.1`: the slip differs by R³/4. Do draws still find it, and is it still decided?
# 2. `m = 4`: do unequal parts exist among so few neurons?
# 3. A true lemma of the catalogue in place of the file: `nv.falsify("kernel-perturbation", …)`. How near does it come to 1?
