"""Encoders, and what is built on them."""
