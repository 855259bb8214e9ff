"""What synthetic people do, and how many of them do it."""

EVERYDAY = {
    "standing": 0.22, "walking": 0.16, "running": 0.09, "sitting": 0.12, "sitting on the floor": 0.05,
    "crouching": 0.06, "kneeling": 0.05, "reaching": 0.09, "lying": 0.06, "jumping": 0.03, "kicking": 0.02,
    "punching": 0.02, "throwing": 0.02, "waving": 0.01,
}  # fmt: skip
"""The share of each activity in a day; walking and running are made in gait.py."""

VARIED = {
    "standing": 0.08, "walking": 0.05, "running": 0.05, "sitting": 0.07, "sitting on the floor": 0.08,
    "crouching": 0.07, "kneeling": 0.07, "reaching": 0.06, "lying": 0.06, "jumping": 0.03, "kicking": 0.03,
    "punching": 0.02, "throwing": 0.03, "waving": 0.01, "resting": 0.04, "crawling": 0.05,
    "push-ups and planks": 0.05, "yoga": 0.06, "climbing": 0.03, "sport": 0.06,
}  # fmt: skip
"""To train a network that is to know any pose: floor, sport and exercise as often as the rest."""

ACTIVITIES = tuple(VARIED)
"""In the order of their labels."""
