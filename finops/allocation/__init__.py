"""Shared, idle and commitment cost spread over those who use it, by declared keys, exactly.

Pure functions over plain tables: what they give for one period and currency depends on the rows of that period and
currency alone, so the same functions run per partition on Apache Spark.
"""
