"""Components that payslips are made of (`payment_types` in the API): definitions, versions, and to whom each applies.

Beside the files that every package has:
    categories.py  what a category does to gross and net, its titles, as data
"""
