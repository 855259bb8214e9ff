"""Keypoints drawn over the photo or video they are of, and the people in 3D beside it: .png and .mp4."""
