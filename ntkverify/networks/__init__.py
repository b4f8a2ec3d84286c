"""The subject: problems, networks, their kernels and symbols, training, and the points at which claims are tried."""
