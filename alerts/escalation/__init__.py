"""Who is told next while nobody has an incident."""
