"""The document projection: memory and what was read, in MongoDB, with content as sealed blobs."""
