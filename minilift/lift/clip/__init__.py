"""Keypoints of people in pictures, lifted: cameras, missing joints, one scale a person, and time.

options.py says what may be asked for; prepare.py makes the network's input; place.py makes what it gives the
people in the camera's space; lift.py is the door.
"""
