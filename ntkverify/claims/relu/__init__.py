"""Two-layer ReLU networks, first layer trained

The theorems with which softmax is compared: Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054), Song and Yang 2019
(arXiv:1906.03593), Arora, Du, Hu, Li and Wang 2019 (arXiv:1901.08584), Ji and Telgarsky 2020 (arXiv:1909.12292), recalled, with constants as parameters; beside most
of them what can be proved with the constants at hand, by counting the neurons that can switch.
"""
