"""Bank files: settings, making a file of the payouts that wait, handing it out.

The path of a file:
1. settings_actions.set_settings  how the tenant's bank takes files: pain.001, or a template of columns
2. actions.make_batch  locks the payouts that wait, writes the file (bank_files) and stores it, and claims the payouts
   (sql/claim_for_file.sql), all of them or none
3. actions.hand_over  a link to the file, whose SHA-256 is known; who asked for it is in the audit log
4. the bank's answer comes back to features/payouts/matching

    bank_files  what is written for banks and what they answer, a module for each format

Start with actions.make_batch.
"""
