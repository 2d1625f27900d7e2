"""Recall by meaning: claims of the memory as vectors in Qdrant, one collection a workspace."""
