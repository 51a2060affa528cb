"""A scripted expert that crafts its way to a goal item by flat actions, seeing through walls. See ``expert.Expert``.

A source of demonstrations and an upper bound on what is possible in a level, not an honest competitor: it reads the
whole state. Nothing else in the package imports it.
"""
