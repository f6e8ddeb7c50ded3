"""Imports of attendance."""
