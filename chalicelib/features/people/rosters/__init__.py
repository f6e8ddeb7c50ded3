"""Rosters: which shift an employee works on a day, which halves are off, and whether a holiday is worked.

routes -> actions.change_roster -> sql/write_roster.sql, then periods.working_days and periods.touch
"""
