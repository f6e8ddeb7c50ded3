"""Allocations of leave, their ledger of half days, and its recount."""
