"""Property tests take as long as the machine lets them: none of them is a test of time."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
