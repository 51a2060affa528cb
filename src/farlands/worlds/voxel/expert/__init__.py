"""A scripted expert that crafts its way to a goal item by flat actions, in two kinds. See ``expert`` and ``honest``.

``expert.Expert`` reads the whole state, through walls: an upper bound on what is possible in a level.
``task_expert.TaskExpert`` reads as much and pursues whatever task its world sets.
``honest.HonestPlayer`` is the same player with a map drawn from its observations. Both are agents in
``farlands.runtime.scripted``.
"""
