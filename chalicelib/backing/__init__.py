"""Infrastructure that features build on: database, messages, files, mail, external calls, encryption, settings, clock.

database.py        the pool, one transaction per request or message, set-based statements; rows.py types their rows
outbox.py          messages written in the transaction and sent after its commit; queues.py is SQS itself
outside.py         HTTP calls to addresses that tenants named, safe from SSRF; addresses.py: which IPs are public
vault.py           envelope encryption of bank details and secrets, by KMS
files.py           S3: files, upload forms, download links; scanner.py is where a virus scanner is plugged in
mail.py, push.py   SES and SNS
settings.py        configuration from the environment; cells.py: which cell this process serves
database_login.py  tokens for the database's proxy
clock.py           the only reader of the clock
log.py             structured logs and metrics
collector.py       pauses the garbage collector during bulk work
"""
