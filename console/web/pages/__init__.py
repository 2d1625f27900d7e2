"""Handlers, one file a theme; each takes the request, the console, and who is there."""
