"""Detectors: a picture in, the keypoints of its people out. open.py has the table of them.

regions.py cuts a turned square out of a picture; tflite.py and onnx_model.py run a network of a file.
finder.py and landmarks.py are the two networks of MediaPipe Pose, search.py finds several people with them,
mediapipe.py follows them from frame to frame. boxes.py and simcc.py are what is around YOLOX and RTMPose, and
rtmlib.py puts them together.
"""

from minilift.video.detect.open import DETECTORS, open_detector

__all__ = ["DETECTORS", "open_detector"]
