"""Arithmetic on logits: never loads torch."""
