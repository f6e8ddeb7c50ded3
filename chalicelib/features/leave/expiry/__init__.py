"""Expiry of allocations: rules, and the nightly job.

Beside the files that every package has:
    nightly_job.py  one night: its chunks, its warnings, what becomes of expired days
"""
