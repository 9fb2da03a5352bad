"""Text: where it is from, how it is divided, what it is as token ids."""
