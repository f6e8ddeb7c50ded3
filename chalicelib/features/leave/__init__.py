"""Leave: types, allocations of days, requests, and expiry of what is left.

Leave by a form:
1. forms/submissions/actions.py  an employee submits a form of the type leave_request
2. requests/form_handler.py  reads the leave out of the submission
3. requests/actions.py  request_leave: counts the halves that are working time (rules.py), and reserves them in the
   employee's allocations (allocations/entry_actions.py: bucket `pending`)
4. requests/actions.py  decide, by the reviewer of the submission: the halves become days used, and rows of leave_days
5. periods/facts.py  in the same transaction the register is projected again and balances follow
6. followers.py  when working days or manual edits change later, allocations/recount_actions.py recounts the days used

Packages: types, allocations (and their ledger of half days), requests, expiry (the nightly job). Start with rules.py.

Beside the files that every package has:
    followers.py  what leave does when facts or working days change
"""
