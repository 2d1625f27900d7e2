"""What a user would pick instead, on the same work: policy, durable audit, tampering found."""
