"""Compute the rules of pay the slow and obvious way, to compare the product with.

It shares no code and no idea with the product: one dict per day, one decision per half,
exact fractions, loops.
"""
