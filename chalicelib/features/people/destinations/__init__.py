"""Payout destinations."""
