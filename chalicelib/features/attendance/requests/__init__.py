"""Requests for on-duty and overtime.

Beside the files that every package has:
    kinds.py  on-duty and overtime as data: one set of verbs serves both
"""
