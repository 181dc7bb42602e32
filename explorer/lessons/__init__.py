"""Lessons: steps with words, a picture and a question whose answer is measured, in one file each."""
