"""A run whose brain is outside: who reaches its socket proposes as its runtime."""
