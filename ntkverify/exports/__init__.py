"""From rows to what others read: tables for a paper, figures of its size, two runs side by side.  No JAX."""
