"""What people and programs are shown of the DORA metrics: pure data and text."""
