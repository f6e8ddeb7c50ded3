"""Holidays and shifts."""
