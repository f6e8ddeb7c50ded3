"""The arithmetic of growth: how many rows, bytes, calls and dollars so many employees are."""
