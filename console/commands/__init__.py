"""One file a noun: each adds its commands to the `anyteam` command."""
