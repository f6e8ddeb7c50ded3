"""Rosters: which shift an employee works on a day."""
