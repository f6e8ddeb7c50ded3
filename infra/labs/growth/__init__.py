"""The arithmetic of growth: the rows, bytes, seconds and calls of so many employees, and the limits that come first.

`measured` has what was measured (`measure` does it again), `usage` computes from it, `limits` compares with the limits.
"""
