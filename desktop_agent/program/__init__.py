"""The desktop program: what the rep sees and presses. It asks the agent, and decides nothing."""
