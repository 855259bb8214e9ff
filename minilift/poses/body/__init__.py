"""Bodies: the lengths of a person's 15 bones, and what people's bones are like before any is measured.

body.py has Body and its file; landmarks.py makes bones of measurements; adults.py is a table of them, which
bench/bodies.py makes; prior.py knows what a height or a sex says; tape.py is for measurements;
posture.py and calibration.py are for one pose that is known, seen from the front.
"""
