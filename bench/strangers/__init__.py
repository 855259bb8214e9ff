"""What a lifter is worth on people it never saw: `python -m bench.strangers`.

takes.py reads movements of people; views.py shows them to cameras; sets.py names the measuring sets; noise.py
is what detectors get wrong; protocol.py measures; val.py is the quick measure to steer by.
"""
