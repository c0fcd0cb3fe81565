"""What the doors share: configuration, runs and their folders, sweeps."""
