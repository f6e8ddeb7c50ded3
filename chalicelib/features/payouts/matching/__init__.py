"""Matching payouts with the answers of banks, and with providers' lists after a restore.

Beside the files that every package has:
    bank_lines.py  lines of a bank's answer, in whichever form it came
    settlement.py  payouts settled by those lines
"""
