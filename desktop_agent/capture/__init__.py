"""The one process that holds sound: it hears, redacts, and says in text what may leave it."""
