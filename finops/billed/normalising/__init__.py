"""What a column of a FOCUS file means: SQL that reads every spelling of a value, and tells which rows are faulty."""
