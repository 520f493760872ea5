"""What a change of SLO files does to what runs, before it is applied: in the words of those whom it concerns."""
