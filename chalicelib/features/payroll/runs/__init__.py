"""Payroll runs: created, calculated in chunks, recalculated, given up; and their reads.

Beside the files that every package has:
    calculation.py  one calculation: a run's chunks, from register to payslips
    exports.py  the register of a run as CSV and XLSX
    freshness.py  whether a run still says what it would if it was calculated now
    participants.py  who had a part in a run, and may therefore not approve it
    snapshot.py  what a run is calculated with, and the function that it compiles into
    summaries.py  what a run comes to, beside the one before
    terms.py  the settings and policy switches that price a run, resolved
"""
