"""Matching payouts with the answers of banks, and with providers' lists after a restore.

The path of a bank's answer:
1. answer_actions.settle_batch_answer, settle_report  for one file, or for whatever files a report is about
2. bank_lines.read_answer  XML or rows become lines, the same for every format
3. bank_lines.match_lines  the lines about our payouts, also those that follow from the status of a file or from a sum
4. settlement.Settlement  judges each line against its payout and moves it: paid, failed, returned, or review
5. sql/keep_bank_status.sql  the bank's latest status is kept with each payout

After a restore actions.match adopts and settles what the providers moved (the operators' command `payouts match`), and
actions.compare returns what it would do.

    bank_lines.py  lines of a bank's answer, in whichever form it came
    settlement.py  payouts settled by those lines
    answer_actions.py  the answer to one file, and reports about several

Start with answer_actions.py.
"""
