"""Users and employees: who they are, where they work, since when, for how much, and the calendar they work by.

A `user` is a person of a tenant, who may sign in; with an employment a user is an `employee`, who is paid. Both have
the same id, `user_id`. Start with models.py, the tables of all packages, then users/queries.py, whose `get_user` is the
get-or-404 of everything that is about a user.

    users         users, their employments and salaries; the import of employees
    organisation  branches, departments, divisions
    calendar      holidays and shifts
    rosters       which shift an employee works on a day
    destinations  bank details that pay goes to, encrypted

Every write here that changes which days are worked, or what they are worth, notifies `periods`: `working_days` (leave
is recounted) and `periods.touch` (the pay periods become stale).
"""
