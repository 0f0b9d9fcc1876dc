"""A trained project in which one thing is changed at a time: does `run` train again what would come out otherwise?"""
