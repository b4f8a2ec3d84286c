"""The case study of diffusion: what stands between a trained network and a score."""
