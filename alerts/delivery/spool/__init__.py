"""Critical pages leave without the database: kept in a folder, told from there, handed in when it is back."""
