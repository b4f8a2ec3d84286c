"""One file a lemma or theorem, in which it is stated, and bound to its formulas."""
