"""What is minimised and how; what a training leaves behind."""
