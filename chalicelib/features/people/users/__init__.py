"""Employees: their employment, pay and login."""
