"""Earned balances: what the days of a pay period are worth so far, with the lines that explain it."""
