"""What is written for a bank, and what the bank answers. Pure: text and bytes in, text and bytes out."""
