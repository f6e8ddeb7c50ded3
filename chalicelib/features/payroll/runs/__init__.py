"""Payroll runs: created, calculated in chunks, recalculated, cancelled; and their reads.

Beside the files that every package has:
    calculation.py  one calculation: the chunks of a run, from register to payslips
    exports.py  the register of a run as CSV and XLSX
    freshness.py  whether a run is out of date: would come out differently if it was calculated now
    participants.py  who took part in a run, and may therefore not approve it (four-eyes principle)
    run_rows.py  the rows of runs and payslips that queries return
    snapshot.py  the calculation snapshot: terms and components, compiled into one function
    summaries.py  the summary of a run beside the run before
    terms.py  the settings and policy switches that a run is priced with
"""
