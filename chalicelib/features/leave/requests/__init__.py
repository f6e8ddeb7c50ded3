"""Leave requests and their decisions.

Beside the files that every package has:
    form_handler.py  leave requests made by forms of the type leave_request
"""
