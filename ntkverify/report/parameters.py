"""The parameters of studies' grids, each in a sentence, for the pages of studies and the documentation; n, m and d_in are the glossary's."""

from ntkverify.report.glossary import GLOSSARY

PARAMETERS = {
    "network": "Which network: its activation and output scale, or a file.",
    "init": "The start: coupled pairs of neurons, so that F(W(0)) = 0, or all neurons drawn apart.",
    "data": "What the inputs and targets are.",
    "d_out": "Number of outputs.",
    "d": "Dimension of a sample.",
    "sigma": "σ, the standard deviation of the initial weights.",
    "delta": "δ, the probability of failure that the bounds allow.",
    "epsilon": "ε: training has succeeded when ‖F − Y‖² is at most this.",
    "target": "Training ends when the loss has fallen to this share of ‖Y‖².",
    "budget": "Most steps of gradient descent.",
    "seeds": "Networks drawn on the same data.",
    "draws": "Draws of the data; each has networks of its own.",
    "most": "Widest network that is tried.",
    "widest": "Widest network that is tried for a certificate.",
    "separation": "Smallest angle between two inputs, or between one and the opposite of another, in radians.",
    "tokens": "Tokens of a sequence; 1 for inputs that are vectors.",
    "rule": "The step size: ordinary, 1/(s_m λ_max(H(0))), or the theorem's.",
    "reach": "R in units of R_fit, the movement that fits the labels in the linearised network.",
    "steps": "Steps of each search or training.",
    "keep": "ϑ, the share of λ that the certified ball keeps.",
    "theta": "Angle of the cap in which the inputs lie.",
    "follow": "Steps within which a later start is looked for.",
    "nets": "Networks of which λ_min(H(0)) is the median.",
    "trained": "Most inputs on which networks are trained as well.",
    "bits": "Binary digits in which the limit kernel is computed.",
    "activation": "two-segment, MaxMin or N-activation.",
    "L": "The zigzag runs over [−L, L].",
    "depth": "Number of layers, each of norm at most 1.",
    "width": "Neurons in a layer.",
    "task": "predict: what the kernel is expected to reach, written down before training; learn: train.",
    "radius": "Inputs beyond this length are shortened to it (the clipping part of the error).",
    "components": "Components, or points, of the population.",
    "earliest": "Smallest diffusion time that is learned.",
    "horizon": "Largest diffusion time.",
    "doublings": "Training is looked at after 1, 2, 4, … steps, so many doublings.",
    "test": "Samples on which the error is measured.",
    "sampled": "Draws of which samplers are run.",
    "paths": "Paths of each sampler.",
    "walk": "Steps of each sampler.",
    "population": "Number of the population drawn.",
    "beta": "β, the weight decay.",
    "tau": "τ, the standard deviation of the noise.",
    "noises": "Noisy copies of each sample.",
    "starts": "Networks trained on the same task from different weights.",
    "rate": "Step size of training.",
}
"""Name → what it is."""
OWN = {
    ("frontier", "theta"): "θ, the share of a step that its remainder may eat.",
    ("diffusion", "draws"): "Draws of data and network together.",
}
"""(study, name) → what it is there, where that differs."""


def meaning(study: str, name: str) -> str:
    """What a parameter of a study's grid is."""
    return OWN.get((study, name)) or PARAMETERS.get(name) or GLOSSARY[name]
