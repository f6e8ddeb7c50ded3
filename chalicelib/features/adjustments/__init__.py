"""Adjustments: one-off amounts with a reason, to be paid with the next payroll.

    POST /payroll-adjustments -> actions.add_by_hand -> actions.add -> sql/add.sql
    leave encashment          -> actions.add, with the encashment as source: each source is added once

An adjustment is open until a payroll run is approved that pays it (payroll.approval). Start with rules.py.
"""
