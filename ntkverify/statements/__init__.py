"""What a claim states, read from its docstring, and the record that binds formulas to it."""
