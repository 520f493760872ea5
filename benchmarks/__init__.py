"""What Flyball costs, as ratios against a peer's shape or a limit that is measured in the same run."""
