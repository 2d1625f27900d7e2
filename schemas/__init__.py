"""The vocabulary: events, envelopes, leases, tools, and who may say what."""
