"""The story of `anyteam demo`: a rep's agent, a poisoned e-mail, and a halt."""
