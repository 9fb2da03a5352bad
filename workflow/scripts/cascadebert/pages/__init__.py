"""Tables, figures and verdicts: never loads torch."""
