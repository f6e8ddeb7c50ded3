"""The formula language: worked values, refusals, laws, and formulas by the million against a model."""
