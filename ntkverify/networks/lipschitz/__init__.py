"""Networks R → R whose layers have norm at most 1, and what they can represent."""
