"""Pictures and videos of people in, their 2D keypoints out."""
