"""Of which networks a claim speaks."""

import math

from ntkverify.networks.activations.relu import RELU
from ntkverify.networks.nouns import Network, TwoLayer


def two_layer(network: Network) -> bool:
    """Whether it is neurons under a sum or a softmax."""
    return isinstance(network, TwoLayer)


def of_logits(network: Network) -> bool:
    """Whether its neurons see x by ⟨w,x⟩ alone."""
    return isinstance(network, TwoLayer) and network.neuron is None


def smooth(network: Network) -> bool:
    """Whether a bound on the second derivative of its neurons is known."""
    if not isinstance(network, TwoLayer):
        return False
    if network.neuron is not None:
        return network.neuron.bend is not None and not (network.normalised and network.neuron.steep is None)
    return network.bend != math.inf


def normalised(network: Network) -> bool:
    """Whether its neurons are under a softmax whose growth is known."""
    return softmax(network) or (smooth(network) and isinstance(network, TwoLayer) and network.normalised)


def series(network: Network) -> bool:
    """Whether its limit kernel is known as a power series."""
    return isinstance(network, TwoLayer) and network.neuron is None and network.series is not None


def relu(network: Network) -> bool:
    """Whether its activation is ReLU, whatever its output scale."""
    return isinstance(network, TwoLayer) and network.neuron is None and network.value is RELU.value


def softmax(network: Network) -> bool:
    """Whether it is the paper's."""
    return isinstance(network, TwoLayer) and network.is_softmax


KINDS = {
    "any": ("any network", lambda network: True),
    "two-layer": ("two-layer networks", two_layer),
    "logits": ("networks whose neurons see x by ⟨w,x⟩ alone", of_logits),
    "smooth": ("networks with a known bound on the second derivative of their neurons", smooth),
    "normalised": ("softmax over neurons with a known bound on their gradient", normalised),
    "series": ("networks whose limit kernel is known as a power series", series),
    "relu": ("ReLU networks", relu),
    "softmax": ("softmax over ⟨w,x⟩", softmax),
}
"""Word of a claim's file → what it means, and whether a network is such a one."""


def elsewhere(networks: str, network: Network) -> str:
    """Why a claim about such networks says nothing of this one, or nothing."""
    words, includes = KINDS[networks]
    return "" if includes(network) else f"It speaks of {words}, and {network.name} is none."
