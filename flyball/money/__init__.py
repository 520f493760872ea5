"""What a workspace says about money: its documents joined, compiled, planned and run."""
