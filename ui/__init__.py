"""The picture: everything that knows Qt."""
