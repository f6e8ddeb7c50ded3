"""Holidays and shifts: what every day is, where no roster or edit says otherwise.

    routes -> actions -> periods.working_days and periods.touch

A holiday is added under the calendars' advisory lock (periods.locks.lock_calendar). Start with actions.py.
"""
