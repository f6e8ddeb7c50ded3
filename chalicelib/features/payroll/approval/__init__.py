"""Approval of a calculated run, and posting its payslips to the ledger.

Beside the files that every package has:
    posting.py  the bulk path: approved payslips into the ledger, chunk by chunk
"""
