"""What a detector has read: a buffer of the last weeks of its series, kept up to date by reading only what is new."""
