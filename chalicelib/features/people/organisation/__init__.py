"""Branches, departments and divisions; shifts are read and written by the same functions.

    routes -> actions -> queries

A branch may have a time zone, a weekend and holidays of its own; changing them is a change of a calendar.
"""
