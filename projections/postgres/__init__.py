"""The PostgreSQL projection: its server, logins, tables and writer."""
