"""What was found in a video, kept frame by frame while it is read, and as a file of keypoints at the end."""
