"""What we stand on: database, outbox, queues, settings, clock, log."""
