"""What a detector would have told in the past. Pure: reading is the roof's."""
