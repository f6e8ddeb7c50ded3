"""Branches, departments and divisions."""
