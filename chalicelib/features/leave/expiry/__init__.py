"""Expiry of allocations: rules, and the nightly job.

Beside the files that every package has:
    nightly_job.py  the nightly job: its chunks, its warnings, and what is done with expired days
"""
