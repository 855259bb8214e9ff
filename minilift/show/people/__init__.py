"""Pictures of people: skeletons in the image and in 3D."""
