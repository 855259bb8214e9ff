"""One HTML page with the people moving in 3D on a timeline, and their 2D keypoints next to them."""
