"""The `anyteam` command."""
