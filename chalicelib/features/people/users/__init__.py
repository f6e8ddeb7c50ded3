"""Users, their employments and salaries.

Two paths:
    one user:   routes -> actions -> queries; contact_actions notifies of changed addresses and bank details
    a file:     routes -> import_actions -> import_rules (rows new, unchanged or wrong) -> sql/add_employees.sql

Start with queries.py: `get_user` is the get-or-404 of everything that is about a user.
"""
