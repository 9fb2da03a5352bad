"""CascadeBERT (Li et al., Findings of EMNLP 2021): complete members, multi-exit baselines, exits and their scores."""
