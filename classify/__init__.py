"""What sensitive things a text holds: spans of names, amounts, accounts, credentials."""
