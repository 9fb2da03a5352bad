"""Trained systems that answer: loaded from a folder, asked for texts, and not computed further than they need."""
