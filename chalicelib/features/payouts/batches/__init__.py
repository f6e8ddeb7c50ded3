"""Bank files: settings, making a file of the payouts that wait, handing it out.

Beside the files that every package has:
    bank_files  what is written for banks and what they answer, a module for each format
"""
