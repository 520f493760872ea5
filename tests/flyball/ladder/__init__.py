"""Tests of the ladder joined to everything else."""
