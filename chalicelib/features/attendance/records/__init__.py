"""Attendance of an employee on a day: punches and corrections."""
