"""What is learned from incidents: reports, actions, repetitions."""
