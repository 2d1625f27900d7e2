"""The drill: an installation is lost in three ways, brought back, and goes on."""
