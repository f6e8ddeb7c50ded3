"""Submissions of forms and their decisions.

Beside the files that every package has:
    exports.py  submissions as CSV and XLSX
"""
