"""One file a route to the Neural Tangent Kernel."""
