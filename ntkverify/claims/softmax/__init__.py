"""Two-layer softmax networks

arXiv:2405.03251: normalisation gives the neural tangent kernel a good perturbation property, so that gradient descent
converges, and learns the score of a diffusion model.
"""
