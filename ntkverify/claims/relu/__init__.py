"""Two-layer ReLU networks, first layer trained

The theorems with which softmax is compared: Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054) and Song and Yang 2019
(arXiv:1906.03593), recalled, with constants as parameters; beside each what can be proved with the constants at hand, by
counting the neurons that can switch.
"""
