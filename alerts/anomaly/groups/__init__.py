"""Series that are judged together: aggregates of groups, what members have to do with them, false discoveries."""
