"""What jobs ask a cluster for."""
