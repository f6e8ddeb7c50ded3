"""Attendance: punches, corrections and imports of a day; on-duty and overtime requests.

Start with records/rules.py (what a punch means) and records/actions.py (how a day is written and decided).
"""
