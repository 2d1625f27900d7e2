"""MCP servers as tools. From outside: the connector, connecting, and pinning declarations."""
