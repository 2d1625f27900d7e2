"""The systemd units, started by systemd itself on a machine made of namespaces."""
