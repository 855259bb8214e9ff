"""What a lifter is worth on people it never saw: `python -m bench.strangers`.

takes.py reads movements of people; floor.py makes some by hand; retarget.py puts them onto other bodies;
views.py shows them to cameras; sets.py names the measuring sets. noise.py is what detectors get wrong;
clips.py asks as `minilift predict` does; protocol.py measures. The tables are in *_tables.py; val.py is the
quick measure to steer by.
"""
