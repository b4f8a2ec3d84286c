"""Of which networks a claim speaks."""

import math

from ntkverify.networks.nouns import Activation


def smooth(activation: Activation) -> bool:
    """Whether a bound on the second derivative of its neurons is known."""
    if activation.neuron is not None:
        return activation.neuron.bend is not None
    return activation.bend != math.inf


KINDS = {
    "any": ("any network", lambda activation: True),
    "logits": ("networks whose neurons see x by ⟨w,x⟩ alone", lambda activation: activation.neuron is None),
    "smooth": ("networks with a known bound on the second derivative of their neurons", smooth),
    "softmax": ("softmax over ⟨w,x⟩", lambda activation: activation.is_softmax),
}
"""Word of a claim's file → what it means, and whether a network is such a one."""


def elsewhere(networks: str, activation: Activation) -> str:
    """Why a claim about such networks says nothing of this one, or nothing."""
    words, includes = KINDS[networks]
    return "" if includes(activation) else f"It speaks of {words}, and {activation.name} is none."
