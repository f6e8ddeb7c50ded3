"""Submissions of forms and their decisions.

The path of a submission:
1. actions.submit  checks the values by the published version (value_rules.py), or keeps a draft
2. attachments.actions.attach  takes its files in; value_rules.check_files checks that none is missing
3. definitions.kinds  the handler of the form's type does what follows (a leave request is made of a leave form)
4. actions.change  changes a draft, or decides: four eyes, the move of its status, the handler or a notification
5. exports.py  all submissions of a form as a file

Beside the files that every package has:
    exports.py  submissions as CSV and XLSX
    value_rules.py  checks of submitted values
"""
